import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// New VHDs over what a block device holds.
@Suite struct VHDOnDeviceTests {
    private func device(_ size: Int) -> StoreInMemory {
        let store = StoreInMemory([UInt8](repeating: 0xA5, count: size))
        store.isBlockDevice = true
        return store
    }

    @Test(arguments: [CreateOptions.VHDSubformat.dynamic, .fixed])
    func whatADeviceHeldShowsNowhere(_ subformat: CreateOptions.VHDSubformat) throws {
        let store = device(8 << 20)
        let size = UInt64(subformat == .fixed ? (8 << 20) - 512 : 6 << 20)
        try VHDImage.create(file: store, size: size, options: CreateOptions(vhdSubformat: subformat))
        let image = try VHDImage.open(file: store, readOnly: false)
        #expect(image.size == size)
        #expect(try image.bytes(0, Int(size)).allSatisfy { $0 == 0 })
        try image.store([1, 2, 3], 3 << 20)
        try image.close()
        let again = try VHDImage.open(file: StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        let bytes = try again.bytes(0, Int(size))
        #expect(bytes[3 << 20..<(3 << 20) + 3] == [1, 2, 3] && bytes.reduce(0) { $0 + Int($1) } == 6)
        let report = try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        #expect(report.isClean && report.findings.isEmpty, "\(report.findings)")
    }

    @Test func aDeviceThatDoesNotFitIsNotTouched() throws {
        let store = device(4096)
        let before = store.bytes
        #expect(code { try VHDImage.create(file: store, size: 1 << 40) } == .noSpace)
        let fixed = CreateOptions(vhdSubformat: .fixed)
        for size in [1024, 3584 - 512, 4096, 1 << 20] as [UInt64] {
            #expect(code { try VHDImage.create(file: store, size: size, options: fixed) } == .unsupported)
        }
        #expect(store.bytes == before)
    }

    /// Whatever the device held, there is the new image after all of its writing, and before it none.
    @Test func aCrashWhileItIsMadeLeavesTheNewImageOrNone() throws {
        var random = SeededRandom.printed()
        let old = StoreInMemory()
        try VHDImage.create(file: old, size: 2 << 20)
        let store = StoreInMemory(old.bytes + [UInt8](repeating: 0, count: (4 << 20) - old.bytes.count))
        store.isBlockDevice = true
        let start = store.bytes
        store.recording = true
        try VHDImage.create(file: store, size: 3 << 20)
        let firstSync = try #require(store.events.firstIndex { if case .sync = $0 { true } else { false } })
        for cut in firstSync + 1...store.events.count {
            let after = StoreInMemory(StoreInMemory.crashed(start, store.events[..<cut], &random), readOnly: true)
            after.isBlockDevice = true
            guard let image = try? VHDImage.open(file: after, readOnly: true) else { continue }
            let isEmpty = try image.bytes(0, 3 << 20).allSatisfy { $0 == 0 }
            #expect(image.size == 3 << 20 && isEmpty, "after event \(cut)")
        }
    }
}
