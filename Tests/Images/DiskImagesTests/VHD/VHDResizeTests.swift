import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Other sizes: case 2.23 of the test vectors, 2.3, and 1.1 for VHD.
@Suite struct VHDResizeTests {
    private func reopened(_ store: StoreInMemory, parent: [UInt8]? = nil) throws -> DynamicVHD {
        let layout = try VHDLayout(file: store)
        return try DynamicVHD(
            file: store, layout: layout, header: #require(layout.header),
            parent: parent.map { MemoryDevice(content: $0) })
    }

    /// The first `size` bytes of `old`, and zeroes.
    private func resized(_ old: MemoryDevice, _ size: UInt64) throws -> MemoryDevice {
        let kept = min(old.size, size)
        let new = MemoryDevice(size: size)
        try new.store(try old.bytes(at: 0, count: Int(kept)), at: 0)
        return new
    }

    /// In files with holes: what the block that made room for the table leaves is given back, but for parts of pages.
    @Test func anEnlargedImageHasNothingToRepair() throws {
        let folder = try ScratchFolder("vhd-enlarged")
        let path = folder.file("a.vhd")
        var options = CreateOptions()
        options.preallocation = .full
        try DiskImage.create(path: path, format: .vhd, size: 10 << 20, options: options).close()
        try DiskImage.resize(path: path, format: .vhd, to: 20 << 20)
        let report = try DiskImage.check(path: path, format: .vhd)
        #expect(report.isClean, "\(report.findings)")
    }

    /// Growth and shrinking at random, by way of tables that are large enough and such that are not.
    @Test("content survives every size (case 2.23)", arguments: [false, true])
    func contentSurvivesEverySize(withParent: Bool) throws {
        var random = SeededRandom.printed()
        let parent = withParent ? random.bytes(900 * 4096) : nil
        let store = StoreInMemory()
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        try VHDImage.make(
            file: store, size: 40 * 4096 + 1024, blockSize: 4096, entries: 50, parent: withParent ? record : nil)
        var device = try reopened(store, parent: parent)
        var model = MemoryDevice(size: device.size)
        if let parent { try model.store(Array(parent[..<Int(device.size)]), at: 0) }
        for step in 0..<16 {
            let size = step % 8 == 7 ? 0 : UInt64.random(in: 0...1200, using: &random) * 2048
            try device.resize(to: size, preallocation: .off)
            model = try resized(model, size)
            #expect(device.size == size)
            if size > 0 {
                try ModelComparison(
                    device, model: model, hotspots: [0, size / 2, 40 * 4096, size - 1], longest: 20_000
                ).run(8, random: &random)
            }
            if Bool.random(using: &random) {
                try device.close()
                let layout = try VHDLayout(file: store)
                #expect(layout.notes.isEmpty && layout.virtualSize == size)
                device = try reopened(store, parent: parent)
                #expect(try device.bytes(0, Int(size)) == model.bytes(at: 0, count: Int(size)))
            }
        }
        if !withParent && device.size > 0 {
            let folder = try ScratchFolder("vhd")
            try device.close()
            try store.save(folder.file("a.vhd"))
            try Tool.check(
                "qemu-img", ["convert", "-f", "vpc", "-O", "raw", folder.file("a.vhd"), folder.file("a.raw")])
            #expect(try content(folder.file("a.raw")) == model.bytes(at: 0, count: Int(model.size)))
        }
    }

    @Test func aChildTakesSpaceWhenItIsWritten() throws {
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 16 * 4096, blockSize: 4096, entries: 64, parent: record)
        let device = try reopened(store, parent: [1])
        let before = store.bytes
        for preallocation in [.falloc, .full] as [CreateOptions.Preallocation] {
            #expect(code { try device.resize(to: 20 * 4096, preallocation: preallocation) } == .unsupported)
            #expect(device.size == 16 * 4096 && store.bytes == before)
        }
        try device.resize(to: 20 * 4096, preallocation: .metadata)
        try device.close()
    }

    /// Growth by a table that moves, growth inside the table, and shrinking: a crash at any write leaves one of the two
    /// sizes, with the content of what both have, and zeroes behind the smaller.
    @Test(
        "a crash leaves one size or the other (case 2.23)",
        arguments: [(60, 3000), (60, 64), (60, 20), (60, 0)], [false, true])
    func aCrashLeavesOneSizeOrTheOther(blocks: (from: UInt64, to: UInt64), withParent: Bool) throws {
        var random = SeededRandom.printed()
        let (old, new) = (blocks.from * 4096 - 1024, blocks.to * 4096)
        let parent = withParent ? random.bytes(70 * 4096) : nil
        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        let store = StoreInMemory()
        try VHDImage.make(
            file: store, size: old, blockSize: 4096, entries: 64, parent: withParent ? record : nil)
        let device = try reopened(store, parent: parent)
        for block in [59, 3, 0, 30, 7] as [UInt64] { try device.store(random.bytes(3000), Int(block * 4096)) }
        try device.close()
        let start = store.bytes
        var expected = try reopened(StoreInMemory(start), parent: parent).bytes(0, Int(old))
        expected += [UInt8](repeating: 0, count: Int(max(old, new) - old))
        store.recording = true
        try reopened(store, parent: parent).resize(to: new, preallocation: .off)
        store.recording = false
        #expect(try reopened(store, parent: parent).bytes(0, Int(new)) == Array(expected[..<Int(new)]))
        let cuts = Array(0...store.events.count)
        for cut in cuts.count > 30 ? cuts.shuffled(using: &random).prefix(30).sorted() : cuts {
            let after = StoreInMemory(StoreInMemory.crashed(start, store.events[..<cut], &random))
            let device = try reopened(after, parent: parent)
            #expect(device.size == old || device.size == new)
            let size = Int(device.size)
            #expect(try device.bytes(0, size) == Array(expected[..<size]), "after event \(cut)")
            // It can be used and resized again.
            try device.resize(to: old + 40960, preallocation: .off)
            var again = Array(expected[..<min(size, Int(old))])
            again += [UInt8](repeating: 0, count: Int(old) + 40960 - again.count)
            try device.store([1, 2, 3], Int(old) + 100)
            again.replaceSubrange(Int(old) + 100..<Int(old) + 103, with: [1, 2, 3])
            try device.close()
            #expect(try reopened(after, parent: parent).bytes(0, again.count) == again, "after event \(cut)")
        }
    }

    /// A disk made for growth gets larger by its two footers (and the map, which is cleared behind the old end).
    @Test("growth inside the table writes the footers only (case 2.3)")
    func growthInsideTheTableWritesTheFootersOnly() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        var options = CreateOptions()
        options.largestSize = 2040 << 30
        let device = try DiskImage.create(path: path, format: .vhd, size: 10 << 20, options: options)
        try device.store([1, 2, 3], at: 9 << 20)
        try device.close()
        let store = try StoreInMemory(content(path))
        store.recording = true
        try reopened(store).resize(to: 2040 << 30, preallocation: .off)
        var written: Set<Int> = []
        for case .write(let offset, _) in store.events { written.insert(offset) }
        #expect(written == [0, 1536 + 1_044_480 * 4, store.bytes.count - 512])
        try store.save(folder.file("b.vhd"))
        #expect(
            try Tool.check("qemu-img", ["info", "-f", "vpc", folder.file("b.vhd")]).contains("\(2040 << 30) bytes"))
    }

    @Test(arguments: CreateOptions.VHDSubformat.allCases, CreateOptions.Preallocation.allCases)
    func facadeResizesAndPreallocates(
        subformat: CreateOptions.VHDSubformat, preallocation: CreateOptions.Preallocation
    ) throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        var options = CreateOptions(vhdSubformat: subformat)
        options.preallocation = preallocation
        let device = try DiskImage.create(path: path, format: .vhd, size: 3 << 20, options: options)
        try device.store([5, 6, 7], at: (3 << 20) - 3)
        try device.close()
        #expect(code { try DiskImage.resize(path: path, format: .vhd, to: 1 << 20) } == .denied)
        let limit = FormatCapabilities.largestVHD
        #expect(code { try DiskImage.resize(path: path, format: .vhd, to: limit + 512) } == .limitExceeded)
        for size in [5 << 20, (9 << 20) + 512, 4 << 20, 1 << 20, 0, 3 << 20] as [UInt64] {
            try DiskImage.resize(path: path, format: .vhd, to: size, shrink: true, preallocation: preallocation)
            let info = try DiskImage.info(path: path, format: .vhd)
            #expect(info.virtualSize == size && info.notes.isEmpty && info.largestSize == limit)
            if preallocation == .full || preallocation == .falloc, size >= 5 << 20 {
                #expect(info.actualSize >= size)
            }
            let opened = try DiskImage.open(path: path, format: .vhd, readOnly: true)
            var expected = [UInt8](repeating: 0, count: Int(size))
            if size >= 4 << 20 { expected.replaceSubrange((3 << 20) - 3..<3 << 20, with: [5, 6, 7]) }
            #expect(try opened.bytes(at: 0, count: Int(size)) == expected, "\(size)")
            try opened.close()
            // qemu opens no fixed image without data.
            if size == 0 && subformat == .fixed { continue }
            #expect(try Tool.check("qemu-img", ["info", "-f", "vpc", path]).contains("(\(size) bytes)"))
        }
    }

    /// Requests go on while the disk grows, blocks move away and tables with them.
    @Test func aDiskGrowsWhileItIsUsed() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let file = try ImageFile(path: path, access: .create)
        try VHDImage.make(file: file, size: 32 * 4096, blockSize: 4096, entries: 32)
        file.close()
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        let growing = try #require(device as? any ResizableDevice)
        let threads = (0..<3).map { number in
            WorkerThread("user \(number)") {
                for step in 0..<400 {
                    let offset = UInt64((step * 7 + number) % 32 * 4096 + number * 1024)
                    do {
                        let mark = [UInt8](repeating: UInt8(1 + (step + number) % 250), count: 1000)
                        try device.store(mark, at: offset)
                        #expect(try device.bytes(at: offset, count: 1000) == mark)
                        if step % 50 == 0 { try device.flush() }
                    } catch { Issue.record(error) }
                }
            }
        }
        for count in 1...12 { try growing.resize(to: UInt64(32 + count * count * 50) * 4096, preallocation: .off) }
        for thread in threads { thread.join() }
        let whole = try device.bytes(at: 0, count: 64 * 4096)
        try device.close()
        let again = try DiskImage.open(path: path, format: .vhd, readOnly: true)
        #expect(try again.size == 7232 * 4096 && again.bytes(at: 0, count: 64 * 4096) == whole)
        #expect(whole[(32 * 4096)...].allSatisfy { $0 == 0 } && whole[..<1000].contains { $0 != 0 })
        try again.close()
    }

    /// The size that the disk was made with stays in its footer, as the format has it, and is what libvhdi takes for the size;
    /// up to there it reads the same. QEMU and XenServer go by the present one.
    @Test(arguments: [CreateOptions.VHDSubformat.dynamic, .fixed])
    func libvhdiReadsAGrownDiskUpToItsFirstSize(subformat: CreateOptions.VHDSubformat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhd-grown")
        let path = folder.file("a.vhd")
        let device = try DiskImage.create(
            path: path, format: .vhd, size: 8 << 20, options: CreateOptions(vhdSubformat: subformat))
        let first = random.bytes(300_000)
        try device.store(first, at: (8 << 20) - 300_000)
        try device.close()
        try DiskImage.resize(path: path, format: .vhd, to: 12 << 20)
        let grown = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        try grown.store([UInt8](repeating: 9, count: 5000), at: (8 << 20) - 1000)
        try grown.close()
        let judged = try LibyalReader.read("vhdi", [path], [((8 << 20) - 300_000, 300_000)])
        #expect(judged.size == 8 << 20)
        #expect(judged.bytes == first.dropLast(1000) + [UInt8](repeating: 9, count: 1000))
        let known = try Tool.check("qemu-img", ["info", "--output=json", "-f", "vpc", path])
        #expect(known.contains("12582912"))
        try Tool.check("qemu-io", ["-r", "-f", "vpc", "-c", "read -P 9 8M 4000", path])
    }

    @Test(arguments: [CreateOptions.VHDSubformat.dynamic, .fixed])
    func theHiddenMarkIsInBothFooters(subformat: CreateOptions.VHDSubformat) throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        try DiskImage.create(
            path: path, format: .vhd, size: 4 << 20, options: CreateOptions(vhdSubformat: subformat)
        ).close()
        for isHidden in [true, true, false] {
            try DiskImage.setHidden(path: path, isHidden)
            let info = try DiskImage.info(path: path, format: .vhd)
            #expect(info.isHidden == isHidden && info.notes.isEmpty)
            let bytes = try content(path)
            #expect(bytes[bytes.count - 512 + 85] == (isHidden ? 1 : 0))
            try Tool.check("vhdiinfo", [path])
        }
    }
}
