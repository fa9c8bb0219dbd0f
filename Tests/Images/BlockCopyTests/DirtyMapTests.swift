import TestSupport
import Testing

@testable import BlockCopy

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

    /// Pages of granules that were the same before: every page that was marked since a granule was clean is in the parts that are to be
    /// copied, and no other page of a granule that was only marked so.
    @Test func pagesAgreeWithAModel() {
        var random = SeededRandom.printed()
        for _ in 0..<40 {
            let size =
                UInt64.random(in: 1...40, using: &random) * 65536 + UInt64.random(in: 0..<128, using: &random) * 512
            let map = DirtyMap(size: size, dirty: Bool.random(using: &random))
            let isDirty = !map.isClean
            // Of each page; whole granules are all of theirs.
            var model = [Bool](repeating: isDirty, count: Int((size + 4095) / 4096))
            for _ in 0..<100 {
                let offset = UInt64.random(in: 0..<size, using: &random)
                let length = UInt64.random(in: 1...min(size - offset, 100_000), using: &random)
                let (first, last) = (offset / 65536, (offset + length - 1) / 65536)
                func granule(_ index: UInt64) -> Range<Int> { Int(index) * 16..<min(model.count, Int(index + 1) * 16) }
                switch Int.random(in: 0..<8, using: &random) {
                case 0:
                    map.mark(offset, length)
                    for index in first...last { for page in granule(index) { model[page] = true } }
                case 1:
                    map.clear(offset, length)
                    let end = offset + length == size ? map.granuleCount : (offset + length) / 65536
                    for index in (offset + 65535) / 65536..<max((offset + 65535) / 65536, end) {
                        for page in granule(index) { model[page] = false }
                    }
                case 2:
                    let word = Int(first / 64)
                    map.markWord(word, 1 << (first % 64))
                    for page in granule(first) { model[page] = true }
                default:
                    map.markPages(offset, length)
                    for page in Int(offset / 4096)...Int((offset + length - 1) / 4096) { model[page] = true }
                }
                var found = [Bool](repeating: false, count: model.count)
                var position: UInt64 = 0
                while position < size {
                    let run = map.run(at: position, end: size)
                    var at = position
                    while run.dirty, let part = map.nextPart(from: at, to: run.end) {
                        for page in Int(part.lowerBound / 4096)..<Int((part.upperBound + 4095) / 4096) {
                            found[page] = true
                        }
                        at = part.upperBound
                    }
                    position = run.end
                }
                #expect(found == model)
            }
        }
    }

    @Test func whatFindsNoRoomIsMarkedWhole() {
        var marks = PageMarks(granules: 4096 * 600)
        for part in 0..<600 as Range<UInt64> { marks.add(1, to: part * 4096) }
        #expect(marks.pages(of: 0) == 1 && marks.pages(of: 511 * 4096) == 1 && marks.pages(of: 512 * 4096) == 0)
        // Room is made where nothing is marked any more, be it that all of a granule is.
        marks.forget(0...15)
        marks.add(0xFFFE, to: 4096)
        for part in 512..<515 as Range<UInt64> { marks.add(2, to: part * 4096) }
        #expect((512..<515).map { marks.pages(of: $0 * 4096) } == [2, 2, 0])
        marks.add(.max, to: 3 * 4096 + 1)
        #expect(marks.pages(of: 3 * 4096 + 1) == 0 && marks.pages(of: 3 * 4096) == 1)
        marks.forget(0...4096 * 600 - 1)
        #expect(marks.isEmpty && marks.pages(of: 0) == 0)
        marks.add(0xFFFE, to: 5)
        #expect(marks.pages(of: 5) == 0xFFFE)
        marks.add(1, to: 5)
        #expect(marks.pages(of: 5) == 0 && marks.isEmpty)
    }
}
