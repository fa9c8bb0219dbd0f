/// Writes values straight into the bytes of an answer, with no tree of `WireValue`s between. The caller keeps to the
/// grammar: what is begun is ended, and every element and member says whether it is the first.
public protocol ValueWriter: Sendable {
    /// What has been written since the beginning, or since `clear`.
    var bytes: [UInt8] { get }
    /// Forgets the bytes and keeps their room.
    mutating func clear()

    /// Some of the bytes that a writer of the same kind wrote.
    mutating func append(_ written: [UInt8], _ range: Range<Int>)

    mutating func string(_ text: String)
    /// A 64-bit int: text in XML, a number in JSON.
    mutating func int(_ number: Int64)
    /// The small ints that travel as `i4` in XML.
    mutating func int32(_ number: Int32)
    mutating func bool(_ flag: Bool)
    mutating func double(_ number: Double)
    /// Seconds since 1970-01-01T00:00:00Z.
    mutating func dateTime(_ seconds: Int64)

    mutating func beginArray()
    mutating func beginElement(isFirst: Bool)
    mutating func endArray()

    mutating func beginStructure()
    mutating func beginMember(_ name: String, isFirst: Bool)
    mutating func endMember()
    mutating func endStructure()
}
