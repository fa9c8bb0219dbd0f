import BlockIO
import TestSupport
import Testing

@testable import DiskImages

/// An image with so many bitmaps that not every write visits all of them.
@Suite struct QCOW2ManyBitmapsTests {
    private struct Model {
        var granularity: UInt64
        var isEnabled = true
        var marked: Set<UInt64> = []
    }

    /// Places that are written again and again, while bitmaps are cleared, go on and off, come and go, and the disk grows.
    @Test func writesAreNotedInEachOfManyBitmaps() throws {
        var random = SeededRandom.printed()
        let store = StoreInMemory()
        var size: UInt64 = 2 << 20
        try QCOW2Image.create(storage: store, size: size, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        var models: [String: Model] = [:]
        func make(_ name: String) throws {
            let granularity = UInt64(512) << UInt64.random(in: 0..<8, using: &random)
            try image.createBitmap(name: name, granularity: granularity)
            models[name] = Model(granularity: granularity)
        }
        for number in 0..<QCOW2BitmapStore.mostVisited + 4 { try make("b\(number)") }
        for step in 0..<300 {
            let name = "b\(Int.random(in: 0..<models.count, using: &random))"
            switch Int.random(in: 0..<16, using: &random) {
            case 0:
                try image.clearBitmap(name)
                models[name]?.marked = []
            case 1:
                let isEnabled = models[name]?.isEnabled == false
                try image.setBitmap(name, isEnabled: isEnabled)
                models[name]?.isEnabled = isEnabled
            case 2:
                try image.deleteBitmap(name)
                try make(name)
            case 3 where size < 3 << 20:
                size += 65536
                try image.resize(to: size, preallocation: .off)
            default:
                let start =
                    UInt64.random(in: 0..<48, using: &random) * 4096 + UInt64.random(in: 0..<512, using: &random)
                let length = UInt64.random(in: 1...9000, using: &random)
                try image.store([UInt8](repeating: UInt8(step % 255 + 1), count: Int(length)), Int(start))
                for (name, model) in models where model.isEnabled {
                    models[name]?.marked.formUnion(
                        start / model.granularity...(start + length - 1) / model.granularity)
                }
            }
            if step % 10 != 9 { continue }
            for (name, model) in models {
                let found = granules(try image.dirtyRanges(ofBitmap: name), model.granularity)
                #expect(found == model.marked, "\(name) in step \(step)")
            }
        }
        try image.close()
    }

    @Test func whatAllHaveIsNotLookedForAgain() {
        let store = QCOW2BitmapStore()
        let bits = (0..<20_000).map { QCOW2DirtyBits(size: 1 << 20, granularityBits: $0 == 7 ? 12 : 16) }
        store.track(bits.enumerated().map { .init(name: Array("b\($0)".utf8), bits: $1, isEnabled: true) })
        #expect(store.visit(100, 1) && !store.visit(4000, 96))
        // The finest one lacks it.
        #expect(store.visit(4000, 97) && !store.visit(0, 8192))
        store.clear(bits[19_999])
        #expect(store.visit(0, 8192) && !store.visit(0, 8192))
        #expect(bits.allSatisfy { $0.contains(0, 8192) } && !bits[7].contains(8191, 2))
        let few = QCOW2BitmapStore()
        few.track([.init(name: [65], bits: bits[0], isEnabled: true)])
        #expect(few.visit(0, 1) && few.visit(0, 1))
    }
}
