/// How what goes to the other side of a `PeerRelay` is written on its way: so only where that side says, in the field of its
/// answer that it was asked by, that it reads it so. Who does not know the field gets the bytes as they are.
///
/// What comes back is never coded.
public struct RelayCoding: Sendable {
    /// The field of the request and of its answer, in lower case, and what it says in both.
    public let field: (name: String, value: String)
    let makeEncoder: @Sendable () throws -> any RelayEncoder

    /// `makeEncoder` is called for each connection that is coded.
    public init(field: (name: String, value: String), makeEncoder: @escaping @Sendable () throws -> any RelayEncoder) {
        (self.field, self.makeEncoder) = (field, makeEncoder)
    }
}

/// Writes one stream. One thread at a time.
public protocol RelayEncoder: AnyObject {
    /// `take` gets what the other side needs to read all of `piece`, before this returns.
    func encode(_ piece: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) throws
    /// The stream is over.
    func finish(_ take: (UnsafeRawBufferPointer) -> Void) throws
}

/// The head of the answer to CONNECT.
struct RelayAnswer {
    /// The first line.
    let line: String
    private let fields: [(name: String, value: String)]

    /// `head`: without the empty line behind it.
    init(head: some Sequence<UInt8>) {
        let lines = String(decoding: Array(head), as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false)
        line = lines.first.map(String.init) ?? ""
        fields = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return (line[..<colon].lowercased(), String(value.reversed().drop { $0 == " " || $0 == "\t" }.reversed()))
        }
    }

    var isGranted: Bool { line.split(separator: " ").dropFirst().first == "200" }

    func says(_ field: (name: String, value: String)) -> Bool {
        fields.contains { $0.name == field.name && $0.value == field.value }
    }
}
