import BlockIO
import TestSupport
import Testing

/// Random requests on a device and on a sparse model of it at once.
struct ModelComparison {
    let device: any BlockDevice
    let model: MemoryDevice
    /// Requests start near one of these, so that they meet and cross boundaries.
    let hotspots: [UInt64]
    let longest: Int

    init(_ device: any BlockDevice, model: MemoryDevice? = nil, hotspots: [UInt64], longest: Int = 200_000) {
        self.device = device
        self.model = model ?? MemoryDevice(size: device.size)
        self.hotspots = hotspots.filter { $0 < device.size }
        self.longest = longest
    }

    func run(_ count: Int, random: inout SeededRandom) throws {
        for _ in 0..<count {
            let (offset, length) = place(&random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3:
                let content = random.bytes(length)
                try device.store(content, at: offset)
                try model.store(content, at: offset)
            case 4:
                try device.writeZeroes(at: offset, length: UInt64(length), mayUnmap: Bool.random(using: &random))
                try model.writeZeroes(at: offset, length: UInt64(length), mayUnmap: true)
            case 5:
                // Afterwards either zeroes or as before: the model follows.
                try device.discard(at: offset, length: UInt64(length))
                try model.store(try device.bytes(at: offset, count: length), at: offset)
            case 6: try device.flush()
            default:
                #expect(try device.bytes(at: offset, count: length) == model.bytes(at: offset, count: length))
            }
        }
        try compare()
        try checkExtents()
    }

    /// Compares everything the extent maps of either do not call empty.
    func compare(_ other: (any BlockDevice)? = nil) throws {
        let device = other ?? self.device
        #expect(device.size == model.size)
        for (a, b) in [(device, model as any BlockDevice), (model, device)] {
            for extent in try a.extents(at: 0, length: a.size) where extent.kind == .data {
                var position = extent.offset
                while position < extent.end {
                    let count = Int(min(extent.end - position, 4 << 20))
                    guard try a.bytes(at: position, count: count) == b.bytes(at: position, count: count) else {
                        Issue.record("content differs within \(count) bytes at \(position)")
                        return
                    }
                    position += UInt64(count)
                }
            }
        }
    }

    /// What the extent map calls zero or a hole must be zero in the model.
    func checkExtents() throws {
        for known in try model.extents(at: 0, length: model.size) where known.kind == .data {
            for extent in try device.extents(at: known.offset, length: known.length) where extent.kind != .data {
                let content = try model.bytes(at: extent.offset, count: Int(extent.length))
                #expect(content.allSatisfy { $0 == 0 }, "\(extent) holds data")
            }
        }
    }

    private func place(_ random: inout SeededRandom) -> (UInt64, Int) {
        let spot = hotspots.randomElement(using: &random) ?? 0
        let unit: UInt64 = [1, 512, 4096].randomElement(using: &random) ?? 1
        let back = UInt64.random(in: 0...UInt64(longest) / 2, using: &random)
        let offset = (spot - min(spot, back)) / unit * unit
        let limit = min(UInt64(longest), device.size - offset)
        let length = UInt64.random(in: 1...max(limit, 1), using: &random)
        return (offset, Int(min(max(length / unit * unit, 1), limit)))
    }
}
