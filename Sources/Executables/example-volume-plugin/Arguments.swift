import Foundation

/// What the caller is told instead of a result.
struct Refusal: Error {
    let code: String
    let parameters: [String]

    init(_ code: String, _ parameters: String...) {
        self.code = code
        self.parameters = parameters
    }
}

/// The named arguments of a call.
struct Arguments {
    private let values: [String: Any]

    init(_ text: Data) throws {
        guard let values = try JSONSerialization.jsonObject(with: text) as? [String: Any] else {
            throw Refusal("INCORRECT_PARAMETERS", "a JSON object is due on standard input")
        }
        self.values = values
    }

    func text(_ name: String) throws -> String {
        guard let text = values[name] as? String else { throw Refusal("INCORRECT_PARAMETERS", name) }
        return text
    }

    func map(_ name: String) throws -> [String: String] {
        guard let map = values[name] as? [String: String] else { throw Refusal("INCORRECT_PARAMETERS", name) }
        return map
    }

    /// Bytes.
    func size(_ name: String) throws -> UInt64 {
        guard let number = values[name] as? NSNumber, number.int64Value >= 0 else {
            throw Refusal("INCORRECT_PARAMETERS", name)
        }
        return number.uint64Value
    }
}
