import BlockIO

/// Inflates compressed grains, and keeps the last few for requests that are smaller than a grain. Any thread may read.
final class VMDKGrainReader: Sendable {
    private let slots: [VMDKGrainSlot]
    /// Memory of all slots together, about.
    private static let memory = 16 << 20

    init(storage: any ImageStorage, header: VMDKSparseHeader, fileLength: UInt64) {
        let count = max(1, min(8, Self.memory / (3 * Int(header.grainBytes))))
        slots = (0..<count).map { _ in VMDKGrainSlot(storage: storage, header: header, fileLength: fileLength) }
    }

    /// Fills `target` from the grain whose marker is at file offset `place`, from its byte `within` on.
    func read(
        grain: UInt64, at place: UInt64, within: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(BlockError) {
        try unsafe slots[Int(grain % UInt64(slots.count))].read(grain: grain, at: place, within: within, into: target)
    }
}

/// One inflated grain, and what it takes to inflate another.
@safe
private final class VMDKGrainSlot: @unchecked Sendable {
    // @unchecked: everything that changes is touched only under `lock`.
    private let lock = Monitor()
    private let storage: any ImageStorage
    private let header: VMDKSparseHeader
    private let fileLength: UInt64
    private let inflater = VMDKInflater()
    private let most: Int
    private var input: AlignedBuffer?
    private var output: AlignedBuffer?
    /// The grain in `output`.
    private var key = UInt64.max

    init(storage: any ImageStorage, header: VMDKSparseHeader, fileLength: UInt64) {
        self.storage = storage
        self.header = header
        self.fileLength = fileLength
        most = VMDKStreamOrder.largestGrain(header)
    }

    // SAFETY (all below): input has prefix + most bytes and output a grain; every range is checked against these.
    func read(
        grain: UInt64, at place: UInt64, within: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(BlockError) {
        lock.lock()
        defer { lock.unlock() }
        let size = Int(header.grainBytes)
        if key != grain {
            let data = try unsafe compressed(grain: grain, at: place)
            let length = Int(min(header.grainBytes, header.capacity - grain * header.grainBytes))
            if within == 0 && target.count == size {
                try unsafe inflater.inflate(data, into: target, length: length, at: place)
                return
            }
            let output = output ?? AlignedBuffer(count: size)
            self.output = output
            key = .max
            try unsafe inflater.inflate(
                data, into: UnsafeMutableRawBufferPointer(rebasing: output.bytes[..<size]), length: length, at: place)
            key = grain
        }
        guard let output, within + target.count <= size else { return }
        unsafe target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: output.bytes[within..<within + target.count]))
    }

    /// The compressed bytes of a grain, in `input`.
    private func compressed(grain: UInt64, at place: UInt64) throws(BlockError) -> UnsafeRawBufferPointer {
        let prefix = VMDKMarker.grainPrefix
        let input = input ?? AlignedBuffer(count: prefix + most)
        self.input = input
        // Half a grain is what most grains need; the rest of a longer one is a second request.
        let available = Int(min(fileLength - min(fileLength, place), UInt64(prefix + most)))
        let first = min(available, prefix + Int(header.grainBytes) / 2)
        try unsafe storage.readExactly(into: UnsafeMutableRawBufferPointer(rebasing: input.bytes[..<first]), at: place)
        guard first >= prefix else { throw damaged(grain, place) }
        let sector = unsafe UInt64(littleEndian: input.bytes.loadUnaligned(as: UInt64.self))
        let size = unsafe Int(UInt32(littleEndian: input.bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        guard sector == grain * header.grainSectors, size > 0, size <= available - prefix else {
            throw damaged(grain, place)
        }
        if prefix + size > first {
            try unsafe storage.readExactly(
                into: UnsafeMutableRawBufferPointer(rebasing: input.bytes[first..<prefix + size]),
                at: place + UInt64(first))
        }
        return unsafe UnsafeRawBufferPointer(rebasing: input.bytes[prefix..<prefix + size])
    }

    private func damaged(_ grain: UInt64, _ place: UInt64) -> BlockError {
        BlockError(
            .corrupt, "the marker of grain \(grain) of the VMDK is of another grain, too long or cut off", offset: place
        )
    }
}
