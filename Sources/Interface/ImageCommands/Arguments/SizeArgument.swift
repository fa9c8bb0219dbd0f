public import ArgumentParser
import CoreTypes
public import DiskImages

/// A virtual size: absolute, or with a sign relative to the present one.
struct SizeArgument: ExpressibleByArgument, Sendable {
    enum Change: Sendable {
        case to, by, less
    }

    let bytes: UInt64
    let change: Change

    init?(argument: String) {
        let sign = argument.first
        change = sign == "+" ? .by : sign == "-" ? .less : .to
        guard let count = ByteCount(parsing: change == .to ? argument[...] : argument.dropFirst()) else { return nil }
        bytes = count.bytes
    }

    /// The size after the change; nil when there is no such size.
    func applied(to present: UInt64) -> UInt64? {
        switch change {
        case .to: return bytes
        case .by:
            let (sum, overflow) = present.addingReportingOverflow(bytes)
            return overflow ? nil : sum
        case .less: return bytes > present ? nil : present - bytes
        }
    }
}

/// A size that nothing is added to or taken from: no sign goes before it.
struct PlainSize: ExpressibleByArgument, Sendable {
    let bytes: UInt64

    init(bytes: UInt64) { self.bytes = bytes }

    init?(argument: String) {
        guard let count = ByteCount(parsing: argument) else { return nil }
        bytes = count.bytes
    }

    /// As it stands in help texts.
    var defaultValueDescription: String { "\(ByteCount(bytes))" }
}

extension CreateOptions.Preallocation: ExpressibleByArgument {}
extension OpenPolicy.VHDSize: ExpressibleByArgument {}
extension RepairChoice: ExpressibleByArgument {}
