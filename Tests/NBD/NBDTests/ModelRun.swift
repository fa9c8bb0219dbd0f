import BlockIO
import TestSupport
import Testing

/// Random operations on a device beside a plain array that says what must be there. Each thread of a test has a region
/// of the device to itself.
struct ModelRun {
    let device: any BlockDevice
    let region: Range<UInt64>
    /// What a discard leaves is not known; then it is read back.
    var model: [UInt8]
    var random: SeededRandom

    init(_ device: any BlockDevice, region: Range<UInt64>, seed: UInt64) {
        self.device = device
        self.region = region
        model = [UInt8](repeating: 0, count: region.count)
        random = SeededRandom(seed: seed)
    }

    private mutating func range() -> Range<Int> {
        let largest = [512, 8192, 70_000, 400_000][Int.random(in: 0..<4, using: &random)]
        let start = Int.random(in: 0..<model.count, using: &random)
        return start..<min(start + Int.random(in: 1...largest, using: &random), model.count)
    }

    mutating func run(_ steps: Int) throws {
        for step in 0..<steps {
            let range = range()
            let offset = region.lowerBound + UInt64(range.lowerBound)
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<7:
                let bytes = random.bytes(range.count)
                try device.put(bytes, at: offset)
                model.replaceSubrange(range, with: bytes)
            case 7..<14:
                let found = try device.bytes(at: offset, range.count)
                #expect(found == Array(model[range]), "step \(step): \(range)")
            case 14..<16:
                try device.writeZeroes(
                    at: offset, length: UInt64(range.count), mayUnmap: Bool.random(using: &random))
                model.replaceSubrange(range, with: repeatElement(0, count: range.count))
            case 16:
                try device.discard(at: offset, length: UInt64(range.count))
                let found = try device.bytes(at: offset, range.count)
                #expect(zip(found, model[range]).allSatisfy { $0 == 0 || $0 == $1 })
                model.replaceSubrange(range, with: found)
            case 17:
                try device.flush()
            default:
                let extents = try device.extents(at: offset, length: UInt64(range.count))
                #expect(extents.reduce(0) { $0 + $1.length } == UInt64(range.count))
                for extent in extents where extent.kind != .data {
                    let from = Int(extent.offset - region.lowerBound)
                    #expect(
                        model[from..<from + Int(extent.length)].allSatisfy { $0 == 0 },
                        "step \(step): data where the map says \(extent.kind) at \(extent.offset)")
                }
            }
        }
        let found = try device.bytes(at: region.lowerBound, model.count)
        #expect(found == model)
    }

    /// Runs on `threads` threads, each with its share of the device.
    static func onThreads(
        _ threads: Int, _ devices: [any BlockDevice], steps: Int, _ random: inout SeededRandom
    ) throws {
        let share = (devices[0].size / UInt64(threads)) & ~65535
        let failures = Failures()
        let workers = (0..<threads).map { index in
            let seed = random.next()
            let device = devices[index % devices.count]
            let start = UInt64(index) * share
            return WorkerThread("model-\(index)") {
                do {
                    var run = ModelRun(device, region: start..<start + share, seed: seed)
                    try run.run(steps)
                } catch {
                    failures.add("thread \(index): \(error)")
                }
            }
        }
        for worker in workers { worker.join() }
        #expect(failures.all == [])
    }
}

/// What went wrong on other threads.
final class Failures: @unchecked Sendable {
    // @unchecked: `texts` is touched with `monitor` held.
    private let monitor = Monitor()
    private var texts: [String] = []
    func add(_ text: String) { monitor.locked { texts.append(text) } }
    var all: [String] { monitor.locked { texts } }
}
