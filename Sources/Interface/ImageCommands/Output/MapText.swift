import BlockIO
import TerminalUI

/// The text of a map: bytes put into one buffer, as there may be millions of lines.
struct MapText {
    enum Form {
        case json, columns
    }

    private let form: Form
    /// Nothing of a raw image is absent.
    private let isRaw: Bool
    private let output: TerminalOutput
    private var buffer: [UInt8] = []
    private var isFirst = true
    private static let flushAt = 256 << 10

    init(_ form: Form, isRaw: Bool, output: TerminalOutput) {
        self.form = form
        self.isRaw = isRaw
        self.output = output
        buffer.reserveCapacity(Self.flushAt + 512)
        append(form == .json ? "[" : "start               length              kind\n")
    }

    mutating func add(_ extent: HostExtent) {
        switch form {
        case .json: addObject(extent)
        case .columns: addLine(extent)
        }
        isFirst = false
        if buffer.count >= Self.flushAt { flush() }
    }

    mutating func end() {
        if form == .json { append("]\n") }
        flush()
    }

    private mutating func addObject(_ extent: HostExtent) {
        append(isFirst ? "{\"start\": " : ",\n{\"start\": ")
        append(extent.offset)
        append(", \"length\": ")
        append(extent.length)
        append(", \"depth\": ")
        append(UInt64(clamping: extent.depth))
        append(extent.kind != .hole || isRaw ? ", \"present\": true" : ", \"present\": false")
        append(extent.kind == .data ? ", \"zero\": false, \"data\": true" : ", \"zero\": true, \"data\": false")
        if extent.file >= 0 {
            append(", \"offset\": ")
            append(extent.host)
        }
        append("}")
    }

    private mutating func addLine(_ extent: HostExtent) {
        for number in [extent.offset, extent.length] {
            let before = buffer.count
            append(number)
            repeat { buffer.append(UInt8(ascii: " ")) } while buffer.count - before < 20
        }
        switch extent.kind {
        case .data: append("data\n")
        case .zero: append("zero\n")
        case .hole: append("hole\n")
        }
    }

    private mutating func append(_ text: StaticString) {
        // SAFETY: the literal's own bytes, which live as long as the program.
        unsafe buffer.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ number: UInt64) {
        let start = buffer.count
        var rest = number
        repeat {
            buffer.append(UInt8(truncatingIfNeeded: 48 + rest % 10))
            rest /= 10
        } while rest > 0
        var low = start
        var high = buffer.count - 1
        while low < high {
            buffer.swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    private mutating func flush() {
        output.write(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
