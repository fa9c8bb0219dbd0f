import BlockIO
import Synchronization

/// Where the grains of a sparse extent lie, by its grain directory and tables, which are read as they are needed.
struct VMDKGrainTables: Sendable {
    private let header: VMDKSparseHeader
    private let directory: UInt64
    private let fileLength: UInt64
    /// Header, descriptor and directories, over which no grain and no table can lie.
    private let reserved: [Range<UInt64>]
    private let pages: TablePages
    private let written = WrittenPart()
    /// The primary directory was of no use.
    let usesRedundant: Bool

    /// - Parameter header: the extent's header, or its footer where that names the directory.
    init(storage: any ImageStorage, header: VMDKSparseHeader, fileLength: UInt64) throws(BlockError) {
        self.header = header
        self.fileLength = fileLength
        var reserved: [Range<UInt64>] = [0..<512]
        if !header.descriptor.isEmpty { reserved.append(header.descriptor) }
        let places = [header.directorySector, header.redundantDirectorySector].map {
            Self.place($0, header, fileLength)
        }
        for case let place? in places { reserved.append(place) }
        self.reserved = reserved
        pages = unsafe TablePages(pageBytes: 4096, slots: 512) { (buffer, offset) throws(BlockError) in
            try unsafe storage.read(into: buffer, at: offset)
        }
        let first = try places[0].map { (place) throws(BlockError) in try Self.survey(storage, place, fileLength) }
        if let place = places[0], let first, first.isSound, !first.isEmpty {
            directory = place.lowerBound
            usesRedundant = false
            return
        }
        if header.redundantDirectorySector != 0, let place = places[1] {
            let second = try Self.survey(storage, place, fileLength)
            if second.isSound, first?.isSound != true || !second.isEmpty {
                directory = place.lowerBound
                usesRedundant = true
                return
            }
        }
        guard let place = places[0], first?.isSound == true else {
            throw BlockError(
                .corrupt, "the grain directory of the VMDK lies outside the file or names tables that do",
                offset: header.directorySector &* 512)
        }
        directory = place.lowerBound
        usesRedundant = false
    }

    /// The bytes of a directory; nil when they are not inside the file.
    private static func place(_ sector: UInt64, _ header: VMDKSparseHeader, _ fileLength: UInt64) -> Range<UInt64>? {
        guard sector > 0, sector <= fileLength / 512 else { return nil }
        let start = sector * 512
        let length = header.tableCount * 4
        return length <= fileLength - start ? start..<start + length : nil
    }

    /// Whether all tables lie in the file, and there are none. Of a directory above 4 MiB (for terabytes of small
    /// grains) only that part is looked at.
    private static func survey(
        _ storage: any ImageStorage, _ place: Range<UInt64>, _ fileLength: UInt64
    ) throws(BlockError) -> (isSound: Bool, isEmpty: Bool) {
        var isEmpty = true
        var position = place.lowerBound
        let end = min(place.upperBound, position + 4 << 20)
        while position < end {
            let count = Int(min(65536, end - position))
            let bytes = try storage.array(at: position, count: count)
            // SAFETY: `count` is a multiple of 4 and the array's.
            let isSound = unsafe bytes.withUnsafeBytes { buffer in
                for at in stride(from: 0, to: count, by: 4) {
                    let sector = unsafe UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: at, as: UInt32.self))
                    if sector == 0 { continue }
                    isEmpty = false
                    if UInt64(sector) * 512 + VMDKSparseHeader.tableBytes > fileLength { return false }
                }
                return true
            }
            if !isSound { return (false, isEmpty) }
            position += UInt64(count)
        }
        return (true, isEmpty)
    }

    /// What `grain` is, and how many grains from it on are the same (absent, zero) or adjoin in the file, at most
    /// `most` and no further than its table reaches.
    func run(from grain: UInt64, most: UInt64) throws(BlockError) -> (place: VMDKGrainPlace, count: UInt64) {
        let inTable = grain % VMDKSparseHeader.tableEntries
        let limit = min(most, VMDKSparseHeader.tableEntries - inTable)
        let table = try pages.word32(at: directory + grain / VMDKSparseHeader.tableEntries * 4)
        if table == 0 { return (.absent, limit) }
        let start = UInt64(table) * 512
        guard start + VMDKSparseHeader.tableBytes <= fileLength,
            !isReserved(start..<start + VMDKSparseHeader.tableBytes)
        else {
            throw BlockError(
                .corrupt, "a grain table of the VMDK lies outside the file or over its header", offset: start)
        }
        return try unsafe pages.withBytes(at: start + inTable * 4) { (bytes) throws(BlockError) in
            let first = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
            let place = try place(first, grain)
            var count: UInt64 = 1
            if header.isCompressed, case .stored = place { return (place, 1) }
            let step = if case .stored = place { header.grainSectors } else { UInt64(0) }
            while count < limit, Int(count) * 4 + 4 <= bytes.count {
                let entry = unsafe UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: Int(count) * 4, as: UInt32.self))
                guard UInt64(entry) == UInt64(first) + step * count, (try? self.place(entry, grain + count)) != nil
                else {
                    break
                }
                count += 1
            }
            return (place, count)
        }
    }

    /// Grains from `grain` on whose tables have no entry because that part of the directory lies in a hole of the file. Makes
    /// maps of huge empty disks quick.
    func absentRun(from grain: UInt64, storage: any ImageStorage) throws(BlockError) -> UInt64 {
        let start = directory + grain / VMDKSparseHeader.tableEntries * 4
        if try pages.word32(at: start) != 0 || written.contains(start) { return 0 }
        let end = directory + header.tableCount * 4
        let run = try storage.run(at: start, end: end)
        if run.isData {
            written.note(start, run.end)
            return 0
        }
        let next =
            run.end == end ? header.grainCount : (run.end - directory) / 4 * VMDKSparseHeader.tableEntries
        return next > grain ? min(next, header.grainCount) - grain : 0
    }

    private func place(_ entry: UInt32, _ grain: UInt64) throws(BlockError) -> VMDKGrainPlace {
        if entry == 0 { return .absent }
        if entry == 1 && header.flags.contains(.zeroedGrains) { return .zero }
        let start = UInt64(entry) * 512
        let used =
            header.isCompressed
            ? UInt64(VMDKMarker.grainPrefix) : min(header.grainBytes, header.capacity - grain * header.grainBytes)
        guard start + used <= fileLength, !isReserved(start..<start + used) else {
            throw BlockError(
                .corrupt, "grain \(grain) of the VMDK lies outside the file or over its metadata", offset: start)
        }
        return .stored(start)
    }

    private func isReserved(_ range: Range<UInt64>) -> Bool { reserved.contains { $0.overlaps(range) } }
}

/// The part of a directory of which the file system said last that it is no hole. It is not asked again there: where all of a
/// directory was written, with zeroes, that would be two calls for each entry.
private final class WrittenPart: Sendable {
    private let range = Mutex<Range<UInt64>>(0..<0)

    func contains(_ offset: UInt64) -> Bool { range.withLock { $0.contains(offset) } }

    func note(_ start: UInt64, _ end: UInt64) {
        if start < end { range.withLock { $0 = start..<end } }
    }
}

/// What a grain is.
enum VMDKGrainPlace: Hashable, Sendable {
    /// The parent's, or zeroes without one.
    case absent
    /// Zeroes, whatever the parent has.
    case zero
    /// At this file offset; a compressed one with its marker.
    case stored(UInt64)
}
