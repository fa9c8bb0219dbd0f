import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Which of its faces a VHD shows: images that were disabled on purpose, and fixed ones whose guest wrote another VHD's
/// beginning.
@Suite struct VHDFaceTests {
    private func poisoned(_ footer: VHDFooter) -> [UInt8] {
        var bytes = footer.bytes
        bytes.replaceSubrange(..<8, with: Array("v_poison".utf8))
        bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
        return bytes
    }

    private func open(_ store: StoreInMemory, readOnly: Bool = true, forced: Bool = false) throws -> any BlockDevice {
        var policy = OpenPolicy.standalone
        policy.opensDisabled = forced
        return try VHDImage.open(file: store, readOnly: readOnly, chain: ChainContext(policy: policy))
    }

    @Test(
        "a disabled image is refused unless asked for (case 2.12)",
        arguments: ["head", "tail", "both", "head of a damaged one", "fixed"])
    func aDisabledImageIsRefusedUnlessAskedFor(_ which: String) throws {
        let store = StoreInMemory()
        try VHDImage.create(
            file: store, size: 8 << 20, options: CreateOptions(vhdSubformat: which == "fixed" ? .fixed : .dynamic))
        let whole = try open(store, readOnly: false)
        try whole.store([7, 8, 9], 1 << 20)
        try whole.close()
        let end = try store.size() - 512
        let footer = try #require(VHDFooter(try store.array(at: end, count: 512)))
        if which.hasPrefix("head") || which == "both" { try store.store(poisoned(footer), at: 0) }
        if which == "tail" || which == "both" || which == "fixed" { try store.store(poisoned(footer), at: end) }
        if which == "head of a damaged one" { try store.store([0xFF], at: 100) }
        for readOnly in [true, false] {
            let error = #expect(throws: BlockError.self) { _ = try open(store, readOnly: readOnly) }
            #expect(error?.code == .invalidImage && error?.message.contains("v_poison") == true, "\(error as Any)")
        }
        #expect(code { _ = try VHDImage.check(file: store, repair: .all, cancellation: CancellationFlag()) } != nil)
        for repair in [nil, .leaks, .all] as [RepairChoice?] {
            let report = try VHDImage.check(
                file: store, repair: repair, opensDisabled: true, cancellation: CancellationFlag())
            #expect(
                report.corruptions == 0 && report.findings.contains { $0.message.contains("v_poison") }, "\(report)")
            #expect(code { _ = try open(store) } == .invalidImage, "a repair does not enable it again")
        }
        let info = try VHDImage.info(file: store)
        #expect(info.notes.contains { $0.contains("v_poison") })
        let forced = try open(store, readOnly: false, forced: true)
        #expect(forced.size == 8 << 20)
        #expect(try forced.bytes(1 << 20, 3) == [7, 8, 9])
        try forced.store([1], 5 << 20)
        try forced.close()
        #expect(code { _ = try open(store) } == .invalidImage, "writing does not enable it again")
    }

    @Test("a guest's own VHD does not change the type of its fixed disk (cases 2.19, 2.21)", arguments: [false, true])
    func aGuestCannotChangeTheTypeOfItsFixedDisk(_ isDevice: Bool) throws {
        // Content, then room, then the footer: a device that is larger than its disk, or a copy of one.
        let store = StoreInMemory([UInt8](repeating: 0, count: 4 << 20))
        store.isBlockDevice = isDevice
        let footer = VHDFooter(new: .fixed, size: 2 << 20)
        try store.store(footer.bytes, at: (4 << 20) - 512)
        let plain = try open(store, readOnly: false)
        #expect(plain is FixedVHD && plain.size == 2 << 20)
        // The guest writes a differencing VHD that names another disk, or a disabled one. Nothing tells its writing from
        // an image that was put over an old fixed one, so nobody guesses, and nothing is changed.
        let inner = StoreInMemory()
        let parent = try VHDParent(name: "other.vhd", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        try VHDImage.create(file: inner, size: 1 << 20, options: CreateOptions(), parent: parent)
        for begin in [inner.bytes, poisoned(VHDFooter(new: .dynamic, size: 4096))] {
            try plain.store(begin, 0)
            let before = store.bytes
            for (readOnly, forced) in [(true, false), (false, false), (true, true), (false, true)] {
                let error = #expect(throws: BlockError.self) {
                    _ = try open(store, readOnly: readOnly, forced: forced)
                }
                #expect(error?.code == .corrupt && error?.message.contains("as raw") == true, "\(error as Any)")
            }
            #expect(code { _ = try VHDImage.check(file: store, repair: .all, cancellation: CancellationFlag()) } != nil)
            #expect(store.bytes == before)
            try plain.store([UInt8](repeating: 0, count: begin.count), 0)
            #expect(try open(store) is FixedVHD)
        }
    }

    /// A device that held a fixed image once, and since then a dynamic one that a tool copied to its beginning.
    @Test(
        "an old footer at a device's end hides no image that is not fixed (case 2.19)",
        arguments: [false, true], [1 << 20, (8 << 20) - 1024, (8 << 20) - 512, 16 << 20] as [UInt64])
    func anOldFooterAtTheEndOfADeviceHidesNothing(_ isDevice: Bool, _ oldSize: UInt64) throws {
        let inner = StoreInMemory()
        try VHDImage.create(file: inner, size: 2 << 20, options: CreateOptions())
        var device = try open(inner, readOnly: false)
        try device.store([1, 2, 3], 1 << 20)
        try device.close()
        let end = UInt64(8 << 20) - 512
        let store = StoreInMemory(inner.bytes + [UInt8](repeating: 0, count: (8 << 20) - inner.bytes.count))
        store.isBlockDevice = isDevice
        try store.store(VHDFooter(new: .fixed, size: oldSize).bytes, at: end)
        if oldSize < end {
            for readOnly in [true, false] { #expect(code { _ = try open(store, readOnly: readOnly) } == .corrupt) }
            // What the error says helps.
            try store.store([UInt8](repeating: 0, count: 512), at: end)
        }
        if oldSize == end {
            #expect(try open(store) is FixedVHD, "the footer says exactly where it lies")
            return
        }
        device = try open(store, readOnly: false)
        #expect(device is DynamicVHD && device.size == 2 << 20)
        #expect(try device.bytes(1 << 20, 3) == [1, 2, 3])
        try device.store([4], 0)
        try device.close()
        let layout = try VHDLayout(file: store)
        #expect(layout.footersAgree && layout.footer.kind == .dynamic)
        // Our own images leave no old footer behind.
        try store.store(VHDFooter(new: .fixed, size: oldSize).bytes, at: end)
        if isDevice {
            try VHDImage.create(file: store, size: 1 << 20, options: CreateOptions())
            device = try open(store)
            #expect(device is DynamicVHD && device.size == 1 << 20)
        }
    }
}
