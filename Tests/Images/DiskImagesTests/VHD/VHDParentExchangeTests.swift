import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Another parent for a differencing image, and none.
@Suite struct VHDParentExchangeTests {
    private func parent(_ name: String, _ mark: UInt8) throws -> VHDParent {
        try VHDParent(name: name, identifier: [UInt8](repeating: mark, count: 16), timestamp: UInt32(mark))
    }

    /// A child with two partly written blocks in a store of its own, and what its sectors hold.
    private func child(of parent: VHDParent, blockSize: UInt64 = 4096) throws -> StoreInMemory {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 64 * blockSize, blockSize: blockSize, parent: parent)
        let device = try reopened(store)
        for block in [9, 0, 63] as [UInt64] {
            try device.store([UInt8](repeating: UInt8(block + 1), count: 700), Int(block * blockSize + 512))
        }
        try device.close()
        return store
    }

    private func reopened(_ store: StoreInMemory) throws -> any BlockDevice {
        try VHDImage.open(
            file: store, readOnly: store.isReadOnly, chain: ChainContext(policy: OpenPolicy(parents: .ignored)))
    }

    private func names(_ store: StoreInMemory) throws -> (parent: String, id: UInt8) {
        let layout = try VHDLayout(file: store)
        let header = try #require(layout.header)
        let names = try VHDParentNames(file: store, header: header, fileLength: layout.fileLength)
        #expect(names.notes.isEmpty && Set(names.names).count <= 2)
        return (names.names.first ?? "", header.parentIdentifier?.first ?? 0)
    }

    private let paths = [
        "./b", "../over/there/a rather long name of a parent — with ünïcödé.vhd", "/absolute/path.vhd",
        "./" + String(repeating: "deep/", count: 200) + "x",
    ]

    @Test func theNewParentIsInTheHeaderAndAllLocators() throws {
        let store = try child(of: parent("a", 1))
        let size = try reopened(store).bytes(0, 64 * 4096)
        for (step, path) in (paths + paths.reversed()).enumerated() {
            try VHDImage.replaceParent(file: store, with: parent(path, UInt8(step + 2)))
            let found = try names(store)
            #expect(found.parent == path && found.id == UInt8(step + 2))
            let layout = try VHDLayout(file: store)
            #expect(layout.footersAgree && layout.notes.isEmpty && layout.footer.headerOffset == 512)
            #expect(try reopened(store).bytes(0, 64 * 4096) == size)
            // Metadata in front of every block, as blktap's own check wants it.
            let header = try #require(layout.header)
            let blocks = try store.words(at: header.tableOffset, count: 32).flatMap { [$0 >> 32, $0 & 0xFFFF_FFFF] }
            let first = blocks.filter { $0 != 0xFFFF_FFFF }.min() ?? 0
            #expect(header.locators.allSatisfy { $0.offset + ($0.space ?? .max) <= first * 512 })
            #expect(
                header.locators.map(\.name) == (path.hasPrefix("/") ? ["MACX", "W2ku"] : ["MACX", "W2ku", "W2ru"]))
        }
    }

    /// After a crash at any write the image names the old parent or the new one, wholly, and holds what it held; and an
    /// exchange that was cut short can be done again.
    @Test func aCrashLeavesTheOldParentOrTheNew() throws {
        var random = SeededRandom.printed()
        for path in ["./other", paths[3]] {
            let store = try child(of: parent("a", 1))
            let start = store.bytes
            let expected = try reopened(store).bytes(0, 64 * 4096)
            store.recording = true
            try VHDImage.replaceParent(file: store, with: parent(path, 2))
            for cut in 0...store.events.count {
                for _ in 0..<3 {
                    let bytes = StoreInMemory.crashed(start, store.events[..<cut], &random)
                    let after = try names(StoreInMemory(bytes, readOnly: true))
                    #expect(after == ("./a", 1) || after == (path, 2), "after event \(cut)")
                    #expect(try reopened(StoreInMemory(bytes, readOnly: true)).bytes(0, 64 * 4096) == expected)
                    let again = StoreInMemory(bytes)
                    try VHDImage.replaceParent(file: again, with: parent("./third", 3))
                    #expect(try names(again) == ("./third", 3))
                    let device = try reopened(again)
                    try device.store([0xEE], 20 * 4096)
                    try device.close()
                    var changed = expected
                    changed[20 * 4096] = 0xEE
                    #expect(try reopened(again).bytes(0, 64 * 4096) == changed)
                    #expect(try VHDLayout(file: again).footer.headerOffset == 512)
                }
            }
        }
    }

    @Test func withoutAParentTheImageIsDynamic() throws {
        var random = SeededRandom.printed()
        let store = try child(of: parent("a", 1))
        // What lies under clear bits must not come to light.
        let layout = try VHDLayout(file: store)
        let block = try store.words(at: 1536, count: 1)[0] >> 32
        try store.store([UInt8](repeating: 0xAA, count: 512), at: block * 512 + 512 + 2048)
        let expected = try reopened(store).bytes(0, 64 * 4096)
        let start = store.bytes
        store.recording = true
        try VHDImage.replaceParent(file: store, with: nil)
        store.recording = false
        for cut in 0...store.events.count {
            let bytes = StoreInMemory.crashed(start, store.events[..<cut], &random)
            #expect(try reopened(StoreInMemory(bytes, readOnly: true)).bytes(0, 64 * 4096) == expected)
        }
        let after = try VHDLayout(file: store)
        #expect(after.footer.kind == .dynamic && after.footer.uuid == layout.footer.uuid && after.footersAgree)
        #expect(after.header?.bytes[40..<1024].allSatisfy { $0 == 0 } == true)
        let folder = try ScratchFolder("vhd")
        try store.save(folder.file("a.vhd"))
        let raw = folder.file("a.raw")
        try Tool.check("qemu-img", ["convert", "-f", "vpc", "-O", "raw", folder.file("a.vhd"), raw])
        #expect(try content(raw) == expected)
        #expect(code { try VHDImage.replaceParent(file: store, with: parent("b", 2)) } == .unsupported)
    }
}
