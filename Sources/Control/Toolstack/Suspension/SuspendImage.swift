import Crypto
import Foundation
import Guests

/// What a suspend image holds, from the first byte of its VDI; what comes after is of no meaning.
///
///     0   8  "GantryVM"
///     8   4  version, 1 (all numbers little-endian)
///     12  4  length of the description, at most 1 MiB
///     16     the description: the guest as another QEMU takes it over, JSON (`GuestPassport`)
///     then   pieces of the guest's memory as QEMU sends it: 4 bytes length (1 to 1 MiB), and as many bytes
///     then   4 bytes 0, 8 bytes length of all pieces together, 32 bytes SHA-256 of everything before these 32
///
/// An image that was cut off has no end, and one that was changed has another sum: neither is resumed.
enum SuspendImage {
    static let magic = Array("GantryVM".utf8)
    static let version: UInt32 = 1
    static let longestPiece = 1 << 20
    static let longestDescription = 1 << 20

    /// Why an image is none.
    struct Damage: Error, CustomStringConvertible {
        let description: String
    }

    static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<MemoryLayout<Number>.size).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    static func number(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Bytes that a VDI needs for a guest with `memory` bytes of memory, its devices' included: all of it once, what QEMU says of
    /// each page, what changed until the guest stood, the rest of the devices.
    static func size(memory: UInt64) -> UInt64 { memory + memory >> 6 + 128 << 20 }
}

/// Makes an image, piece by piece.
struct SuspendImageWriter {
    private var sum = SHA256()
    private var length: UInt64 = 0
    /// SHA-256 of the first bytes, once they were made, and of all, once the end was.
    private(set) var headSum: [UInt8] = []
    private(set) var wholeSum: [UInt8] = []

    /// The first bytes.
    mutating func head(_ passport: GuestPassport) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try head(description: try encoder.encode(passport))
    }

    mutating func head(description: Data) throws(SuspendImage.Damage) -> [UInt8] {
        guard description.count <= SuspendImage.longestDescription else {
            throw SuspendImage.Damage(description: "the description of the guest has \(description.count) bytes")
        }
        let bytes = add(
            SuspendImage.magic + SuspendImage.bytes(SuspendImage.version)
                + SuspendImage.bytes(UInt32(description.count)) + Array(description))
        headSum = Array(sum.finalize())
        return bytes
    }

    /// `memory`: 1 byte to `longestPiece`.
    mutating func piece(_ memory: [UInt8]) -> [UInt8] {
        length += UInt64(memory.count)
        return add(SuspendImage.bytes(UInt32(memory.count)) + memory)
    }

    /// The last bytes: the guest is complete.
    mutating func end() -> [UInt8] {
        let bytes = add(SuspendImage.bytes(UInt32(0)) + SuspendImage.bytes(length))
        wholeSum = Array(sum.finalize())
        return bytes + wholeSum
    }

    private mutating func add(_ bytes: [UInt8]) -> [UInt8] {
        sum.update(data: bytes)
        return bytes
    }
}

/// Reads an image, however it is cut. Keeps no more than one piece.
struct SuspendImageReader {
    enum Part {
        /// `sum`: of all up to here.
        case passport(GuestPassport, sum: [UInt8])
        case memory([UInt8])
        /// It is whole, and as it was written. Nothing comes after it.
        case end(sum: [UInt8])
    }

    private enum State {
        case head
        case description(Int)
        case length
        case piece(Int)
        case end, over
    }
    private var state = State.head
    private var sum = SHA256()
    private var total: UInt64 = 0
    private var rest: [UInt8] = []
    /// Bytes of `rest` that were read.
    private var position = 0

    var isOver: Bool { if case .over = state { true } else { false } }

    /// The parts that `bytes` complete. What follows the end is dropped.
    mutating func feed(_ bytes: [UInt8]) throws -> [Part] {
        rest.append(contentsOf: bytes)
        var parts: [Part] = []
        while let part = try next() { if let part = part.value { parts.append(part) } }
        rest.removeFirst(position)
        position = 0
        return parts
    }

    private struct Step { let value: Part? }

    /// Nil: more bytes are needed.
    private mutating func next() throws -> Step? {
        switch state {
        case .head:
            guard let head = take(16) else { return nil }
            guard head.prefix(8).elementsEqual(SuspendImage.magic) else {
                throw SuspendImage.Damage(description: "the disk holds no suspended virtual machine")
            }
            guard SuspendImage.number(head[8..<12]) == UInt64(SuspendImage.version) else {
                throw SuspendImage.Damage(description: "the suspend image is of another version of this software")
            }
            let length = SuspendImage.number(head[12..<16])
            guard length <= UInt64(SuspendImage.longestDescription) else { throw Self.garbled }
            state = .description(Int(length))
            return Step(value: nil)
        case .description(let length):
            guard let description = take(length) else { return nil }
            guard let passport = try? JSONDecoder().decode(GuestPassport.self, from: Data(description)) else {
                throw Self.garbled
            }
            state = .length
            return Step(value: .passport(passport, sum: Array(sum.finalize())))
        case .length:
            guard let bytes = take(4) else { return nil }
            let length = SuspendImage.number(bytes)
            guard length <= UInt64(SuspendImage.longestPiece) else { throw Self.garbled }
            state = length == 0 ? .end : .piece(Int(length))
            return Step(value: nil)
        case .piece(let length):
            guard let memory = take(length) else { return nil }
            total += UInt64(length)
            state = .length
            return Step(value: .memory(memory))
        case .end:
            guard rest.count - position >= 40, let length = take(8) else { return nil }
            let expected = Array(sum.finalize())
            let found = Array(rest[position..<position + 32])
            guard SuspendImage.number(length) == total, found == expected else { throw Self.garbled }
            state = .over
            position = rest.count
            return Step(value: .end(sum: found))
        case .over:
            position = rest.count
            return nil
        }
    }

    private static let garbled = SuspendImage.Damage(
        description: "the suspend image is damaged: it is not as it was written")

    private mutating func take(_ count: Int) -> [UInt8]? {
        guard rest.count - position >= count else { return nil }
        let bytes = Array(rest[position..<position + count])
        position += count
        sum.update(data: bytes)
        return bytes
    }
}
