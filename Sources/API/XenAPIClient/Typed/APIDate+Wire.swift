public import APITypes
public import Foundation
public import RPCCodec

extension APIDate: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) {
        switch wire {
        case .dateTime(let text), .string(let text):
            guard let seconds = DateTimeText.parse(text) else { throw WireMismatch(expected: "a date") }
            self.init(seconds: seconds)
        default: throw WireMismatch(expected: "a date")
        }
    }
    public var wire: WireValue { .dateTime(DateTimeText.format(seconds)) }
}

extension APIDate {
    /// The date; nil for 1970-01-01T00:00:00Z, by which XenAPI says "never".
    public var date: Date? { self == .never ? nil : Date(timeIntervalSince1970: Double(seconds)) }

    /// Whole seconds; a fraction is dropped.
    public init(_ date: Date) {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        self.init(seconds: Int64(exactly: seconds) ?? (seconds < 0 ? .min : .max))
    }
}
