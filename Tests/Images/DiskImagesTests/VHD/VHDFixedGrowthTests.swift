import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Fixed images that a crash stopped while they were getting larger.
@Suite struct VHDFixedGrowthTests {
    private func opened(_ store: StoreInMemory) throws -> FixedVHD {
        try #require(try VHDImage.open(file: store, readOnly: store.isReadOnly) as? FixedVHD)
    }

    private func image(_ content: [UInt8]) throws -> StoreInMemory {
        let store = StoreInMemory()
        var options = CreateOptions()
        options.vhdSubformat = .fixed
        try VHDImage.create(file: store, size: UInt64(content.count), options: options)
        try store.store(content, at: 0)
        return store
    }

    /// What the crash machine found: the old footer showed in the new part of the disk.
    @Test(arguments: CreateOptions.Preallocation.allCases, [512, 4096, 100 << 10])
    func _2_23_aFixedImageThatWasGrowingHasOneSizeOrTheOther(
        _ preallocation: CreateOptions.Preallocation, _ more: Int
    ) throws {
        var random = SeededRandom.printed()
        let content = random.bytes(64 << 10)
        let zeroes = [UInt8](repeating: 0, count: more)
        let store = try image(content)
        let start = store.bytes
        store.recording = true
        try opened(store).resize(to: UInt64(content.count + more), preallocation: preallocation)
        let grown = try opened(StoreInMemory(store.bytes, readOnly: true))
        #expect(try grown.bytes(0, content.count + more) == content + zeroes)
        for cut in 0...store.events.count {
            for _ in 0..<4 {
                let bytes = StoreInMemory.crashed(start, store.events[..<cut], &random)
                // Opened to be read only, it has the same size as opened to be written.
                let seen = try opened(StoreInMemory(bytes, readOnly: true))
                let size = Int(seen.size)
                #expect(size == content.count || size == content.count + more)
                let isWhole = try seen.bytes(0, size) == Array((content + zeroes).prefix(size))
                #expect(isWhole, "before event \(cut)")
                let after = StoreInMemory(bytes)
                let device = try opened(after)
                #expect(Int(device.size) == size)
                try device.resize(to: UInt64(content.count + 2 * more), preallocation: .off)
                let isGrown = try device.bytes(0, content.count + 2 * more) == content + zeroes + zeroes
                #expect(isGrown, "before event \(cut)")
                try device.close()
                #expect(try VHDLayout(file: after).notes.isEmpty)
                #expect(try after.size() == UInt64(content.count + 2 * more + 512))
            }
        }
    }

    /// The file had grown, and nothing that was to go there had come.
    @Test(arguments: [512, 1024, 300 << 10])
    func aFileThatGrewWithoutItsFooterHasItsOldSize(_ more: Int) throws {
        let content = [UInt8](repeating: 7, count: 10_240)
        let whole = try image(content).bytes
        let store = StoreInMemory(whole + [UInt8](repeating: 0, count: more))
        let report = try VHDImage.check(
            file: StoreInMemory(store.bytes, readOnly: true), repair: nil, cancellation: CancellationFlag())
        #expect(report.isClean && report.findings.count == 1)
        #expect(try VHDImage.info(file: store).virtualSize == UInt64(content.count))
        try VHDImage.setHidden(file: store, true)
        let device = try opened(store)
        #expect(try device.bytes(0, content.count) == content)
        #expect(device.layout.footer.isHidden && store.bytes.count == whole.count)
    }

    /// A guest's own footers among its data mislead nobody: the real one comes after them.
    @Test func aGuestCannotMakeTheFooterThatIsLookedFor() throws {
        var content = [UInt8](repeating: 9, count: 20 * 512)
        content.replaceSubrange(5 * 512..<6 * 512, with: VHDFooter(new: .fixed, size: 5 * 512).bytes)
        let last = content.count - 512
        content.replaceSubrange(last..., with: VHDFooter(new: .fixed, size: UInt64(last)).bytes)
        let store = try image(content)
        try store.truncate(to: UInt64(store.bytes.count + 8192))
        #expect(try opened(store).bytes(0, content.count) == content)
        // Without any footer of its own the file is no image, whatever it holds.
        let bare = StoreInMemory([UInt8](repeating: 9, count: 4096) + [UInt8](repeating: 0, count: 4096))
        #expect(code { _ = try opened(bare) } == .invalidImage)
    }

    /// What an old file has between its disk and its footer it keeps until it has grown.
    @Test func aFileThatGrewWithMoreThanItsDiskHasItsOldSize() throws {
        let content = [UInt8](repeating: 7, count: 8192)
        let old = content + [UInt8](repeating: 0xEE, count: 4096) + VHDFooter(new: .fixed, size: 8192).bytes
        let store = StoreInMemory(old + [UInt8](repeating: 0, count: 8192))
        #expect(try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, 8192) == content)
        let device = try opened(store)
        #expect(try device.size == 8192 && device.bytes(0, 8192) == content)
        try device.close()
        #expect(store.bytes.count == 8192 + 512)
        #expect(try VHDLayout(file: store).notes.isEmpty)
    }

    /// With a guest's VHD at the beginning nobody can tell which of the two the crash was of.
    @Test(arguments: ["dynamic", "damaged", "disabled", "fixed"])
    func aGuestsBeginningBesideALostEndIsNotGuessedAbout(_ beginning: String) throws {
        var begin = VHDFooter(new: beginning == "fixed" ? .fixed : .dynamic, size: 4096).bytes
        if beginning == "damaged" { begin[100] ^= 1 }
        if beginning == "disabled" { begin = VHDFooter(new: .dynamic, size: 4096).disabled.bytes }
        let content = begin + [UInt8](repeating: 9, count: 8192)
        let store = try image(content)
        try store.truncate(to: UInt64(store.bytes.count + 4096))
        let before = store.bytes
        for readOnly in [true, false] {
            let copy = StoreInMemory(before, readOnly: readOnly)
            if beginning == "fixed" {
                // No image but a fixed one begins so: it is the guest's.
                #expect(try opened(copy).bytes(0, content.count) == content)
            } else {
                #expect(code { _ = try opened(copy) } == .corrupt)
                #expect(copy.bytes == before)
            }
        }
    }

    /// The guest of a dynamic disk writes a fixed one's footer, and a crash takes the real end away.
    @Test func aGuestCannotMakeItsDynamicDiskAFixedOne() throws {
        let store = StoreInMemory()
        try VHDImage.create(file: store, size: 4 << 20, options: CreateOptions())
        let device = try VHDImage.open(file: store, readOnly: false)
        try device.store(VHDFooter(new: .fixed, size: 512).bytes, 512 * 100)
        try device.close()
        try store.store([UInt8](repeating: 0, count: 512), at: store.size() - 512)
        #expect(code { _ = try VHDImage.open(file: store, readOnly: true) } == .corrupt)
        // What the error advises.
        try store.store(Array(store.bytes[..<512]), at: store.size())
        #expect(try VHDImage.open(file: store, readOnly: true).size == 4 << 20)
    }

    @Test func aCheckTellsOfAnEnlargementThatWasCutShortAndUndoesIt() throws {
        let content = [UInt8](repeating: 3, count: 8192)
        let store = try image(content)
        let before = store.bytes
        let growing = try VHDLayout(file: store).footer.with(size: 16_384).growing(from: 8192, fileOf: 8704)
        try store.store(growing.bytes, at: 16_384)
        var report = try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        #expect(report.isClean && report.findings.count == 1 && store.bytes.count == 16_384 + 512)
        report = try VHDImage.check(file: store, repair: .leaks, cancellation: CancellationFlag())
        #expect(report.isClean && store.bytes == before)
    }

    /// Programs that do not know the record see the new size, and may write there.
    @Test func anEnlargementIsNotUndoneOverWhatWasWrittenSince() throws {
        let store = try image([UInt8](repeating: 3, count: 8192))
        let growing = try VHDLayout(file: store).footer.with(size: 16_384).growing(from: 8192, fileOf: 8704)
        try store.store(growing.bytes, at: 16_384)
        try store.store([UInt8](repeating: 5, count: 512), at: 12_288)
        let before = store.bytes
        #expect(code { _ = try opened(store) } == .corrupt)
        #expect(store.bytes == before)
        #expect(try opened(StoreInMemory(before, readOnly: true)).size == 8192)
    }

    /// A file that cannot grow keeps its size, its content and its end.
    @Test func aFullFileSystemLeavesTheOldSize() throws {
        let content = [UInt8](repeating: 3, count: 8192)
        for writes in 0..<4 {
            let store = try image(content)
            let before = store.bytes
            let device = try opened(store)
            store.writesLeft = writes
            #expect(code { try device.resize(to: 65_536, preallocation: .full) } == (writes < 4 ? .noSpace : nil))
            store.writesLeft = nil
            #expect(device.size == 8192)
            try device.close()
            let again = try opened(store)
            #expect(try again.bytes(0, 8192) == content && store.bytes.count == before.count)
        }
    }

    /// What the file has behind the disk (a size that follows the geometry, a file that was cut by hand) makes room.
    @Test(arguments: [8192 + 512, 16_384, 32_768])
    func anImageGrowsOverWhatItsFileHasBehindTheDisk(_ size: Int) throws {
        var random = SeededRandom.printed()
        let content = random.bytes(8192)
        let start = content + [UInt8](repeating: 0xEE, count: 16_384 - 8192) + VHDFooter(new: .fixed, size: 8192).bytes
        let store = StoreInMemory(start)
        store.recording = true
        let device = try opened(store)
        try device.resize(to: UInt64(size), preallocation: .off)
        let expected = content + [UInt8](repeating: 0, count: size - 8192)
        #expect(try opened(StoreInMemory(store.bytes)).bytes(0, size) == expected)
        #expect(store.bytes.count == size + 512)
        for cut in 0...store.events.count {
            for _ in 0..<4 {
                let after = StoreInMemory(StoreInMemory.crashed(start, store.events[..<cut], &random))
                let found = try opened(after)
                #expect(found.size == 8192 || Int(found.size) == size)
                #expect(try found.bytes(0, Int(found.size)) == Array(expected[..<Int(found.size)]))
            }
        }
    }
}
