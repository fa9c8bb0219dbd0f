import BlockCopy
import TestSupport
import Testing

@Suite struct DirtyMapTests {
    @Test(arguments: [0, 1, 65535, 65536, 65537, 4_194_304, 4_194_305, 13_107_712] as [UInt64])
    func startsWhollyDirtyOrClean(size: UInt64) {
        let dirty = DirtyMap(size: size, dirty: true)
        #expect(dirty.dirtyBytes == dirty.granuleCount * 65536)
        #expect(DirtyMap(size: size, dirty: false).isClean)
        dirty.clear(0, size)
        #expect(dirty.isClean)
    }

    /// Random marks, clears and searches against an array of booleans.
    @Test func agreesWithAModel() {
        var random = SeededRandom.printed()
        for _ in 0..<50 {
            let granule: UInt64 = 512
            let size =
                UInt64.random(in: 1...200, using: &random) * granule + UInt64.random(in: 0..<granule, using: &random)
            let map = DirtyMap(size: size, granule: granule, dirty: false)
            var model = [Bool](repeating: false, count: Int(map.granuleCount))
            for _ in 0..<200 {
                let offset = UInt64.random(in: 0..<size, using: &random)
                let length = UInt64.random(in: 0...(size - offset), using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    map.mark(offset, length)
                    if length > 0 {
                        for i in offset / granule...(offset + length - 1) / granule { model[Int(i)] = true }
                    }
                case 1:
                    map.clear(offset, length)
                    let first = (offset + granule - 1) / granule
                    let end = offset + length == size ? map.granuleCount : (offset + length) / granule
                    if end > first { for i in first..<end { model[Int(i)] = false } }
                case 2:
                    let run = map.run(at: offset, end: size)
                    let index = Int(offset / granule)
                    #expect(run.dirty == model[index])
                    let stop = model[index...].firstIndex { $0 != model[index] } ?? model.count
                    #expect(run.end == min(size, UInt64(stop) * granule))
                default:
                    let found = map.nextDirty(from: offset, maximum: granule * 7)
                    let start = Int(offset / granule)
                    let first = model[start...].firstIndex(of: true) ?? model.firstIndex(of: true)
                    #expect(found?.lowerBound == first.map { UInt64($0) * granule })
                }
                #expect(map.dirtyBytes == UInt64(model.count { $0 }) * granule)
            }
        }
    }
}
