import BlockIO

/// Where the grains of a streamOptimized VMDK lie that has lost, or never had, its footer: found by one pass over its
/// markers. 12 bytes of memory for a grain, which has at least 512 in the file.
struct VMDKStreamIndex: Sendable {
    /// Ascending, with the file sector of each.
    private var grains: [UInt64] = []
    private var sectors: [UInt32] = []
    /// Bytes behind the end marker that must be empty.
    private static let checkedTail: UInt64 = 65536

    init(storage: any ImageStorage, header: VMDKSparseHeader, fileLength: UInt64) throws(BlockError) {
        var order = try VMDKStreamOrder(header: header)
        var position = order.firstMarker
        while true {
            guard position < fileLength, fileLength - position >= 512 else {
                throw BlockError(
                    .corrupt, "the VMDK stream was cut off: it has neither a footer nor an end marker",
                    offset: fileLength)
            }
            let marker = VMDKMarker(try storage.array(at: position, count: 512))
            let (step, advance) = try order.accept(marker, at: position)
            switch step {
            case .grain(let offset, _, _):
                guard position / 512 <= UInt64(UInt32.max) else {
                    throw BlockError(.limitExceeded, "the VMDK stream is longer than 2 TiB")
                }
                grains.append(offset / header.grainBytes)
                sectors.append(UInt32(position / 512))
            case .metadata, .footer: break
            case .end:
                let rest = min(fileLength - position - 512, Self.checkedTail)
                guard try storage.array(at: position + 512, count: Int(rest)).allSatisfy({ $0 == 0 }) else {
                    throw BlockError(
                        .corrupt, "something follows the end of the VMDK stream", offset: position + 512)
                }
                return
            }
            position += advance
        }
    }

    /// What `grain` is, and how many grains from it on are absent like it, at most `most`.
    func run(from grain: UInt64, most: UInt64) -> (place: VMDKGrainPlace, count: UInt64) {
        var low = 0
        var high = grains.count
        while low < high {
            let middle = (low + high) / 2
            if grains[middle] < grain { low = middle + 1 } else { high = middle }
        }
        guard low < grains.count else { return (.absent, most) }
        if grains[low] == grain { return (.stored(UInt64(sectors[low]) * 512), 1) }
        return (.absent, min(grains[low] - grain, most))
    }
}
