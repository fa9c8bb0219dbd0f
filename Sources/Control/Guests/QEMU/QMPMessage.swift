import Foundation

/// What QEMU says on its monitor socket (QMP specification, section 2.4), one JSON object per line.
enum QMPMessage: Sendable, Hashable {
    case greeting
    case result(id: Int64?, QMPValue)
    case failure(id: Int64?, kind: String, message: String)
    case event(name: String, data: QMPValue)

    /// Reads one line without its end. Throws `.protocolViolation` for anything that is none of the four.
    init(line: some Collection<UInt8>) throws(GuestError) {
        let value: QMPValue
        do {
            value = try JSONDecoder().decode(QMPValue.self, from: Data(line))
        } catch {
            throw GuestError(.protocolViolation, "QEMU's monitor sent a line that is not JSON")
        }
        let id = value["id"]?.integer
        if let result = value["return"] {
            self = .result(id: id, result)
        } else if let error = value["error"] {
            self = .failure(
                id: id, kind: error["class"]?.text ?? "GenericError", message: error["desc"]?.text ?? "no reason given")
        } else if let name = value["event"]?.text {
            self = .event(name: name, data: value["data"] ?? .null)
        } else if value["QMP"] != nil {
            self = .greeting
        } else {
            throw GuestError(.protocolViolation, "QEMU's monitor sent a message of no known kind")
        }
    }

    /// The line that asks for `command`, with its end.
    static func command(_ command: String, arguments: QMPValue?, id: Int64) -> [UInt8] {
        var members: [String: QMPValue] = ["execute": .string(command), "id": .integer(id)]
        members["arguments"] = arguments
        return Array(QMPValue.object(members).json.utf8) + [UInt8(ascii: "\n")]
    }
}

/// Cuts a stream into lines. Holds at most `limit` bytes of an unfinished line.
struct QMPLineSplitter {
    /// QEMU's longest answers (the whole block graph) are some 100 KiB.
    static let limit = 4 << 20
    private let limit: Int
    private var rest: [UInt8] = []

    init(limit: Int = QMPLineSplitter.limit) { self.limit = limit }

    /// The lines that `bytes` completes, without their ends, empty ones left out.
    /// Throws `.protocolViolation` when a line passes the limit.
    mutating func feed(_ bytes: some Collection<UInt8>) throws(GuestError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try take(bytes[start..<end])
            if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
            if !rest.isEmpty { lines.append(rest) }
            rest.removeAll(keepingCapacity: true)
            start = bytes.index(after: end)
        }
        try take(bytes[start...])
        return lines
    }

    private mutating func take(_ part: some Collection<UInt8>) throws(GuestError) {
        guard rest.count + part.count <= limit else {
            rest = []
            throw GuestError(.protocolViolation, "QEMU's monitor sent a line of more than \(limit) bytes")
        }
        rest.append(contentsOf: part)
    }
}
