import Foundation
import TestSupport
import Testing

@testable import Toolstack

@Suite struct SuspendImageTests {
    /// A passport as it is stored.
    private static let passport = """
        {"hardware":{"hasScreen":true,"isAccelerated":false,"machine":"pc-q35-7.2","processor":"Nehalem"},"isPaused":false,\
        "ports":{},"specification":{"boot":{"disk":{}},"disks":[],"memoryBytes":67108864,"name":"g","uuid":"g","vcpus":1}}
        """

    private func image(_ pieces: [[UInt8]]) throws -> [UInt8] {
        var writer = SuspendImageWriter()
        var bytes = try writer.head(description: Data(Self.passport.utf8))
        for piece in pieces { bytes += writer.piece(piece) }
        return bytes + writer.end()
    }

    /// The pieces, when the image is whole.
    private func read(_ bytes: [UInt8], cut random: inout SeededRandom, most: Int = 5000) throws -> [UInt8]? {
        var reader = SuspendImageReader()
        var memory: [UInt8] = []
        var rest = bytes[...]
        var hasPassport = false
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(rest.count, most), using: &random)
            for part in try reader.feed(Array(rest.prefix(count))) {
                switch part {
                case .passport: hasPassport = true
                case .memory(let bytes): memory += bytes
                case .end: #expect(reader.isOver)
                }
            }
            rest = rest.dropFirst(count)
        }
        return reader.isOver && hasPassport ? memory : nil
    }

    @Test func whatIsWrittenIsReadHoweverItIsCutAndWhateverFollows() throws {
        var random = SeededRandom.printed()
        let pieces = (0..<20).map { _ in random.bytes(Int.random(in: 1...20_000, using: &random)) }
        let bytes = try image(pieces) + random.bytes(10_000)
        #expect(try read(bytes, cut: &random) == pieces.flatMap { $0 })
        #expect(try read(image([]), cut: &random) == [])
    }

    @Test func whatIsCutOffOrChangedIsNoImage() throws {
        var random = SeededRandom.printed()
        let bytes = try image((0..<3).map { _ in random.bytes(300) })
        for length in [0, 7, 15, 16, 100, bytes.count - 41, bytes.count - 1] {
            #expect(try read(Array(bytes.prefix(length)), cut: &random) == nil)
        }
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            // It is found out by the end, or the reader waits for more than there is.
            let result = try? read(changed, cut: &random)
            #expect(result == nil || result == .some(nil), "byte \(place)")
        }
        // No length makes the reader keep more than its bound.
        let head = SuspendImage.magic + SuspendImage.bytes(SuspendImage.version)
        var reader = SuspendImageReader()
        #expect(throws: SuspendImage.Damage.self) { try reader.feed(head + SuspendImage.bytes(UInt32.max)) }
        var other = SuspendImageReader()
        #expect(throws: SuspendImage.Damage.self) { try other.feed([UInt8](repeating: 0, count: 16)) }
    }

    /// What is decided of a guest and of the image, whatever was under way.
    @Test func aCrashLeavesAMachineThatRunsOrIsSuspended() {
        let fates: [SuspensionNote.Phase: SuspensionNote.Fate] = [
            .saving: .letGo, .saved: .end, .loading: .end, .loaded: .takeOver, .spent: .nothing,
        ]
        for phase in SuspensionNote.Phase.allCases {
            #expect(SuspensionNote.fate(phase, isOnItsWay: true) == fates[phase])
            #expect(SuspensionNote.fate(phase, isOnItsWay: false) == .nothing)
        }
        let without = SuspensionNote.Phase.allCases.filter { SuspensionNote(phase: $0, vm: "").leavesNoImage }
        #expect(without == [.saving, .loaded, .spent])
    }
}
