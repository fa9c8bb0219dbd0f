import ArgumentParser
import CoreTypes

/// A format named on the command line: one that is built, or one that is only planned.
enum DeclaredFormat: ExpressibleByArgument, Sendable {
    case built(ImageFormat)
    case planned(String)

    init?(argument: String) {
        if let format = ImageFormat(parsing: argument) {
            self = .built(format)
        } else if ["vhdx", "vmdk"].contains(argument.lowercased()) {
            self = .planned(argument.lowercased())
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { ImageFormat.allCases.map(\.rawValue) }

    /// The format, or a failure that says it is not built.
    func known() throws(CommandFailure) -> ImageFormat {
        switch self {
        case .built(let format): return format
        case .planned(let name):
            throw .notBuilt("the format \(name)", advice: "converting with another tool to raw, vhd or qcow2 first")
        }
    }
}
