import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Files that end before a block does that the table names. QEMU refuses them, so none is left by a writer.
@Suite struct VHDShortFileTests {
    private func opened(_ store: StoreInMemory) throws -> DynamicVHD {
        let layout = try VHDLayout(file: store)
        return try DynamicVHD(file: store, layout: layout, header: #require(layout.header))
    }

    private func start(of block: UInt64, _ store: StoreInMemory) throws -> UInt64? {
        let layout = try VHDLayout(file: store)
        let header = try #require(layout.header)
        let entry = BigEndianBytes(try store.array(at: header.tableOffset + block * 4, count: 4)).u32(0)
        return entry == .max ? nil : UInt64(entry) * 512
    }

    private func expectSound(_ store: StoreInMemory, _ expected: [UInt8]) throws {
        let layout = try VHDLayout(file: store)
        #expect(layout.notes.isEmpty && layout.virtualSize == UInt64(expected.count))
        #expect(try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, expected.count) == expected)
        let report = try VHDImage.check(
            file: StoreInMemory(store.bytes, readOnly: true), repair: nil, cancellation: CancellationFlag())
        #expect(report.findings.isEmpty, "\(report.findings)")
        let folder = try ScratchFolder("vhd")
        let (image, raw) = (folder.file("a.vhd"), folder.file("a.raw"))
        try store.save(image)
        try Tool.check("qemu-img", ["convert", "-f", "vpc", "-O", "raw", image, raw])
        #expect(try content(raw) == expected)
    }

    /// The last block lacks what the disk does not use of it, in front of the footer, or any part and the footer too.
    @Test("a block that is cut short is completed (case 2.8)", arguments: [3072, 1024, 0], [false, true])
    func aBlockThatIsCutShortIsCompleted(left: Int, grows: Bool) throws {
        let store = StoreInMemory()
        let size = 8 * 4096 - 1024
        try VHDImage.make(file: store, size: UInt64(size), blockSize: 4096)
        let device = try opened(store)
        try device.store([1, 2, 3], 100)
        try device.store([UInt8](repeating: 5, count: 3072), 7 * 4096)
        try device.close()
        var content = try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, size)
        let place = try start(of: 7, store)
        let body = Int(try #require(place)) + 512
        let footer = Array(store.bytes.suffix(512))
        let hasTail = left == 3072
        let short = StoreInMemory(Array(store.bytes[..<(body + left)]) + (hasTail ? footer : []))
        for index in (7 * 4096 + left)..<max(size, 7 * 4096 + left) { content[index] = 0 }

        let again = try opened(short)
        try again.store([9], 200)
        content[200] = 9
        if grows {
            try again.resize(to: UInt64(size) + 1024, preallocation: .off)
            content += [UInt8](repeating: 0, count: 1024)
        }
        try again.flush()
        try again.close()
        #expect(short.bytes.count == body + 4096 + 512)
        #expect(short.bytes[(body + left)..<(body + 4096)].allSatisfy { $0 == 0 })
        #expect(short.bytes.suffix(512) == short.bytes[..<512])
        try expectSound(short, content)
    }

    enum Work: CaseIterable, Sendable { case write, repair, shrink, grow }

    /// What a crash leaves of a change of the size: the table names a block behind the end of the disk, the last in the
    /// file. The tail is of the other size or not.
    @Test(arguments: Work.allCases, [false, true])
    func noEntryNamesABlockThatIsCutOff(work: Work, footersAgree: Bool) throws {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 16 * 4096, blockSize: 4096, entries: 300)
        let device = try opened(store)
        try device.store([1, 2, 3], 3 * 4096)
        try device.store([4, 5, 6], 12 * 4096)
        try device.close()
        var content = try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, 8 * 4096)
        let footer = try VHDLayout(file: store).footer.with(size: 8 * 4096)
        if footersAgree { try store.store(footer.bytes, at: UInt64(store.bytes.count - 512)) }
        try store.store(footer.bytes, at: 0)
        #expect(try start(of: 12, store) != nil)

        if work == .repair {
            let report = try VHDImage.check(file: store, repair: .leaks, cancellation: CancellationFlag())
            #expect(report.isClean)
        } else {
            let again = try opened(store)
            switch work {
            case .shrink:
                try again.resize(to: 4096, preallocation: .off)
                content = Array(content[..<4096])
            case .grow:
                try again.resize(to: 16 * 4096, preallocation: .off)
                content += [UInt8](repeating: 0, count: 8 * 4096)
            default:
                try again.store([7], 3 * 4096 + 9)
                content[3 * 4096 + 9] = 7
            }
            try again.close()
        }
        #expect(try start(of: 12, store) == nil)
        try expectSound(store, content)
    }
}
