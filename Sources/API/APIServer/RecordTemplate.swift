import PoolDatabase
import RPCCodec

/// The text of a record of one class in which every field is as the datamodel has it. For a row only the values that it
/// has of its own are written anew; all that lies between, which is most, is copied in long pieces.
struct RecordTemplate<Writer: ValueWriter>: Sendable {
    private let text: [UInt8]
    /// Where the value of a field is, by its position; nil for fields that are not shown.
    private let values: [Range<Int>?]

    init(_ schema: ClassSchema, like writer: Writer) {
        var writer = writer
        writer.clear()
        writer.beginStructure()
        var values: [Range<Int>?] = []
        var isFirst = true
        for field in schema.fields {
            guard field.isPublic else {
                values.append(nil)
                continue
            }
            writer.beginMember(field.name, isFirst: isFirst)
            let start = writer.bytes.count
            writer.write(field.standard)
            values.append(start..<writer.bytes.count)
            writer.endMember()
            isFirst = false
        }
        writer.endStructure()
        text = writer.bytes
        self.values = values
    }

    func write(_ rows: RowList, _ index: Int, to writer: inout Writer) {
        var copied = 0
        rows.forEachOwnValue(index) { position, value in
            guard let place = values[position] else { return }
            writer.append(text, copied..<place.lowerBound)
            writer.write(value)
            copied = place.upperBound
        }
        writer.append(text, copied..<text.count)
    }

    /// How many bytes `write` writes. Uses `writer`, which is empty before and after.
    func length(_ rows: RowList, _ index: Int, by writer: inout Writer) -> Int {
        var replaced = 0
        rows.forEachOwnValue(index) { position, value in
            guard let place = values[position] else { return }
            writer.write(value)
            replaced += place.count
        }
        defer { writer.clear() }
        return text.count - replaced + writer.bytes.count
    }
}
