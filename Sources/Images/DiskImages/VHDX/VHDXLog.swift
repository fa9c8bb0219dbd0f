import BlockIO

/// The log of a VHDX file: a ring of sectors in which changes to the metadata were put down before they were made.
struct VHDXLog {
    private let file: any ImageStorage
    private let place: Range<UInt64>
    private let session: WindowsGUID
    private var ring: UInt64 { place.upperBound - place.lowerBound }
    /// Bytes that may still be read to verify entries. Whole entries do not overlap, so honest logs need little more
    /// than their length; only made-up ones claim long entries at every sector.
    private var budget: UInt64
    private var hasBrokenEntry = false

    /// Everything in use has 1 MiB.
    static let largest: UInt64 = 256 << 20

    init(file: any ImageStorage, header: VHDXHeader) throws(BlockError) {
        self.file = file
        place = header.log
        session = header.logID
        budget = 4 * (place.upperBound - place.lowerBound)
        guard !place.isEmpty, place.upperBound <= (try file.size()) else {
            throw BlockError(
                .corrupt, "the VHDX file has a log to apply, and the log lies outside of the file",
                offset: place.lowerBound)
        }
        guard ring <= Self.largest else {
            throw BlockError(.limitExceeded, "the VHDX log of \(ring) bytes is longer than \(Self.largest) bytes")
        }
    }

    /// The entries to apply, oldest first; empty when nothing was logged in the header's session. Among the runs of
    /// valid entries with consecutive numbers it is the one with the highest, from that last entry's tail on.
    mutating func activeEntries() throws(BlockError) -> [VHDXLogEntry] {
        var best: ArraySlice<VHDXLogEntry> = []
        var position: UInt64 = 0
        while position < ring {
            let run = try file.run(at: place.lowerBound + position, end: place.upperBound)
            let next = (run.end - place.lowerBound) & ~(VHDXLogEntry.sectorBytes - 1)
            if !run.isData, next > position {
                position = next
                continue
            }
            let sequence = try sequence(from: position)
            guard let head = sequence.last else {
                position += VHDXLogEntry.sectorBytes
                continue
            }
            // A run without its own tail counts for nothing, and no part of it does.
            if let first = sequence.firstIndex(where: { $0.start == head.tail }),
                head.sequence > best.last?.sequence ?? 0
            {
                best = sequence[first...]
            }
            position = sequence.reduce(position) { $0 + $1.length }
        }
        if best.isEmpty && hasBrokenEntry {
            throw BlockError(
                .corrupt, "the VHDX log must be applied and is damaged; take the file from where it was closed properly"
            )
        }
        return Array(best)
    }

    /// Valid entries with consecutive numbers, one behind the other, from `start` on.
    private mutating func sequence(from start: UInt64) throws(BlockError) -> [VHDXLogEntry] {
        var entries: [VHDXLogEntry] = []
        var total: UInt64 = 0
        while total < ring, let entry = try entry(at: (start + total) % ring) {
            if let last = entries.last, entry.sequence != last.sequence &+ 1 { break }
            guard entry.length <= ring - total else { break }
            entries.append(entry)
            total += entry.length
        }
        return entries
    }

    private mutating func entry(at start: UInt64) throws(BlockError) -> VHDXLogEntry? {
        let sector = LittleEndianBytes(try bytes(at: start, count: VHDXLogEntry.headerBytes))
        guard let entry = VHDXLogEntry(sector, start: start, ring: ring), entry.session == session else { return nil }
        guard entry.length <= budget else {
            throw BlockError(.corrupt, "the VHDX log has entries that lie over each other", offset: place.lowerBound)
        }
        budget -= entry.length
        var checksum = CRC32C()
        var done: UInt64 = 0
        while done < entry.length {
            let count = min(entry.length - done, 65536, ring - (start + done) % ring)
            var part = try bytes(at: (start + done) % ring, count: Int(count))
            if done == 0 { part.replaceSubrange(4..<8, with: [0, 0, 0, 0]) }
            // SAFETY: the array's own bytes, for the length of the call.
            unsafe part.withUnsafeBytes { unsafe checksum.append($0) }
            done += count
        }
        if checksum.value == entry.checksum { return entry }
        hasBrokenEntry = true
        return nil
    }

    /// Bytes of the ring that do not cross its end.
    func bytes(at position: UInt64, count: Int) throws(BlockError) -> [UInt8] {
        try file.array(at: place.lowerBound + position, count: count)
    }

    /// The file offset of a sector `index` sectors into an entry.
    func offset(of index: UInt64, in entry: VHDXLogEntry) -> UInt64 {
        place.lowerBound + (entry.start + index * VHDXLogEntry.sectorBytes) % ring
    }
}
