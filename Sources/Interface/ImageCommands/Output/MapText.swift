import BlockIO
import TerminalUI

/// The text of a map: bytes put into one buffer, as there may be millions of lines.
@safe
struct MapText {
    enum Form {
        case json, columns
    }

    private let form: Form
    /// Nothing of a raw image is absent.
    private let isRaw: Bool
    private let output: TerminalOutput
    // SAFETY (whole type): `used` is at most `flushAt` between lines, and one line adds less than `longestLine` bytes,
    // for which there is room behind.
    private let buffer = AlignedBuffer(count: flushAt + longestLine)
    private var used = 0
    private var isFirst = true
    private static let flushAt = 256 << 10
    /// The words of an object are 100 bytes, its numbers four of 20 digits at most.
    private static let longestLine = 512

    init(_ form: Form, isRaw: Bool, output: TerminalOutput) {
        self.form = form
        self.isRaw = isRaw
        self.output = output
        append(form == .json ? "[" : "start               length              kind\n")
    }

    mutating func add(_ extent: HostExtent) {
        switch form {
        case .json: addObject(extent)
        case .columns: addLine(extent)
        }
        isFirst = false
        if used >= Self.flushAt { flush() }
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
            let before = used
            append(number)
            repeat { append(" ") } while used - before < 20
        }
        switch extent.kind {
        case .data: append("data\n")
        case .zero: append("zero\n")
        case .hole: append("hole\n")
        }
    }

    @inline(__always)
    private mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[used...])
        // SAFETY: the literal's own bytes, which live as long as the program.
        unsafe free.copyMemory(from: UnsafeRawBufferPointer(start: text.utf8Start, count: count))
        used += count
    }

    @inline(__always)
    private mutating func append(_ number: UInt64) {
        let count = Self.digits(number)
        var rest = number
        var place = used + count
        used = place
        // Two digits a division.
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            place -= 2
            put(UInt8(truncatingIfNeeded: 48 + pair / 10), at: place)
            put(UInt8(truncatingIfNeeded: 48 + pair % 10), at: place + 1)
            rest = quotient
        }
        if rest >= 10 { put(UInt8(truncatingIfNeeded: 48 + rest / 10), at: place - 2) }
        put(UInt8(truncatingIfNeeded: 48 + rest % 10), at: place - 1)
    }

    @inline(__always)
    private func put(_ byte: UInt8, at place: Int) { unsafe buffer.bytes[place] = byte }

    /// Decimal digits of a number.
    private static func digits(_ number: UInt64) -> Int {
        var count = 1
        var rest = number
        while rest >= 10000 {
            rest /= 10000
            count += 4
        }
        return count + (rest >= 1000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    private mutating func flush() {
        unsafe output.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<used]))
        used = 0
    }
}
