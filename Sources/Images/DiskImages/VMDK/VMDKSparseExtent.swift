import BlockIO

/// A hosted sparse extent, compressed or not: a part of a disk, or all of it.
final class VMDKSparseExtent: Sendable {
    private enum Places: Sendable {
        case tables(VMDKGrainTables)
        case index(VMDKStreamIndex)
    }

    let header: VMDKSparseHeader
    let storage: any ImageStorage
    private let places: Places
    private let grains: VMDKGrainReader?

    /// Adjoining bytes of one kind. `stored` bytes of a compressed extent are read with `read`.
    struct Run {
        var place: VMDKGrainPlace
        var length: UInt64
    }

    init(storage: any ImageStorage, header: VMDKSparseHeader) throws(BlockError) {
        let length = try storage.size()
        self.header = header
        self.storage = storage
        grains = header.isCompressed ? VMDKGrainReader(storage: storage, header: header, fileLength: length) : nil
        if header.directorySector != VMDKSparseHeader.directoryAtEnd {
            places = .tables(try VMDKGrainTables(storage: storage, header: header, fileLength: length))
        } else if let footer = try Self.footer(storage, length) {
            guard header.agrees(with: footer), footer.directorySector != VMDKSparseHeader.directoryAtEnd else {
                throw BlockError(.corrupt, "header and footer of the VMDK stream contradict each other")
            }
            places = .tables(try VMDKGrainTables(storage: storage, header: footer, fileLength: length))
        } else {
            places = .index(try VMDKStreamIndex(storage: storage, header: header, fileLength: length))
        }
    }

    /// The footer of a stream: behind its marker, before the end marker, the last three sectors; nil when it is not
    /// there.
    private static func footer(_ storage: any ImageStorage, _ length: UInt64) throws(BlockError) -> VMDKSparseHeader? {
        guard length >= 2048 else { return nil }
        let tail = try storage.array(at: length - 1536, count: 1536)
        guard case .footer(1) = VMDKMarker(Array(tail[..<512])), VMDKSparseHeader.isMarked(Array(tail[512..<1024])),
            VMDKMarker(Array(tail[1024...])) == .endOfStream
        else { return nil }
        return try VMDKSparseHeader(Array(tail[512..<1024]))
    }

    /// Damage that was got round.
    var note: String? {
        guard case .tables(let tables) = places, tables.usesRedundant else { return nil }
        return "the grain directory is damaged; its copy was used"
    }

    /// Resolves `offset`, below the capacity, and up to `most` bytes from it on.
    func resolve(_ offset: UInt64, most: UInt64) throws(BlockError) -> Run {
        let grain = offset / header.grainBytes
        let within = offset % header.grainBytes
        let wanted = (within + most + header.grainBytes - 1) / header.grainBytes
        let run =
            switch places {
            case .tables(let tables): try tables.run(from: grain, most: wanted)
            case .index(let index): index.run(from: grain, most: wanted)
            }
        let length = min(run.count * header.grainBytes - within, most)
        guard case .stored(let start) = run.place, grains == nil else { return Run(place: run.place, length: length) }
        return Run(place: .stored(start + within), length: length)
    }

    /// Bytes from `offset` on that are absent because the directory's entries for them lie in a hole of the file; 0 where one
    /// would have to look.
    func absentRun(from offset: UInt64) throws(BlockError) -> UInt64 {
        guard case .tables(let tables) = places else { return 0 }
        let grain = offset / header.grainBytes
        let count = try tables.absentRun(from: grain, storage: storage)
        if count == 0 { return 0 }
        let (end, isFar) = (grain + count).multipliedReportingOverflow(by: header.grainBytes)
        return (isFar ? header.capacity : min(end, header.capacity)) - offset
    }

    /// Reads a run that `resolve` gave for `offset`, or a beginning of it.
    func read(
        _ place: UInt64, into target: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        guard let grains else {
            try unsafe storage.readExactly(into: target, at: place)
            return
        }
        try unsafe grains.read(
            grain: offset / header.grainBytes, at: place, within: Int(offset % header.grainBytes), into: target)
    }
}
