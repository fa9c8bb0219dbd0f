internal import BlockIO
internal import CoreTypes

/// One entry of the snapshot table.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | L1 table offset |
/// | 8 | 4 | L1 entries |
/// | 12 | 2 + 2 | bytes of the id, of the name |
/// | 16 | 4 + 4 | seconds, nanoseconds |
/// | 24 | 8 | guest run time, nanoseconds |
/// | 32 | 4 | machine state, bytes |
/// | 36 | 4 | bytes of extra data |
/// | 40 | | extra data: u64 machine state, u64 disk size, what later versions add; id; name; padding to 8 |
struct QCOW2Snapshot: Sendable {
    var l1Offset: UInt64
    var l1Entries: UInt32
    var id: [UInt8]
    var name: [UInt8]
    var seconds: UInt32
    var nanoseconds: UInt32
    var guestClock: UInt64
    /// As in the fixed part; the extra data has the whole number.
    var shortStateSize: UInt32
    /// As stored, unknown fields included; 16 bytes at least once it is rewritten.
    var extra: [UInt8]
    /// Bytes of the disk; the image's where the entry does not say.
    var diskSize: UInt64

    static let fixedBytes = 40
    static let mostExtra = 1024
    static let mostName = 255

    var stateSize: UInt64 { extra.count >= 8 ? BigEndianBytes(extra).u64(0) : UInt64(shortStateSize) }
    var info: SnapshotInfo {
        SnapshotInfo(
            id: String(decoding: id, as: UTF8.self), name: String(decoding: name, as: UTF8.self), seconds: seconds,
            nanoseconds: nanoseconds, guestClock: guestClock, stateSize: stateSize, diskSize: diskSize)
    }

    func append(to bytes: inout [UInt8]) {
        var whole = extra
        if whole.count < 16 {
            whole = []
            whole.appendBigEndian(stateSize)
            whole.appendBigEndian(diskSize)
        }
        bytes.appendBigEndian(l1Offset)
        bytes.appendBigEndian(l1Entries)
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: id.count))
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: name.count))
        bytes.appendBigEndian(seconds)
        bytes.appendBigEndian(nanoseconds)
        bytes.appendBigEndian(guestClock)
        bytes.appendBigEndian(shortStateSize)
        bytes.appendBigEndian(UInt32(truncatingIfNeeded: whole.count))
        bytes += whole + id + name
        bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }
}

/// The snapshots of an image, in the order of their table.
struct QCOW2SnapshotTable: Sendable {
    var entries: [QCOW2Snapshot] = []
    var offset: UInt64 = 0
    /// Bytes of the table in the file.
    var length: UInt64 = 0

    init() {}

    /// Reads and checks the table that `header` names. Where the L1 tables are is checked, not what is in them.
    init(_ header: QCOW2Header, _ storage: any ImageStorage) throws(BlockError) {
        guard header.snapshotCount > 0 else { return }
        offset = header.snapshotsOffset
        guard let fileEnd = try storage.size().roundedUp(to: header.clusterSize), offset <= fileEnd else {
            throw BlockError(.corrupt, "the snapshot table is not inside the file", offset: offset)
        }
        let available = min(fileEnd - offset, QCOW2Limits.snapshotTableBytes)
        var bytes: [UInt8] = []
        /// Makes `bytes` at least `count` long; what is asked for is asked in large pieces.
        func need(_ count: Int) throws(BlockError) {
            if count <= bytes.count { return }
            guard UInt64(count) <= available else {
                throw BlockError(
                    .corrupt, "the snapshot table reaches past the file or is longer than 64 MiB", offset: offset)
            }
            let more = min(Int(available) - bytes.count, max(count - bytes.count, max(65536, bytes.count)))
            bytes += try storage.array(at: offset + UInt64(bytes.count), count: more)
        }
        var position = 0
        for number in 0..<header.snapshotCount {
            try need(position + QCOW2Snapshot.fixedBytes)
            let fixed = BigEndianBytes(Array(bytes[position..<position + QCOW2Snapshot.fixedBytes]))
            let idCount = Int(fixed.u16(12))
            let nameCount = Int(fixed.u16(14))
            let extraCount = Int(fixed.u32(36))
            guard extraCount <= QCOW2Snapshot.mostExtra else {
                throw BlockError(
                    .limitExceeded,
                    "snapshot \(number) has \(extraCount) bytes of extra data; \(QCOW2Snapshot.mostExtra) is the most",
                    offset: offset + UInt64(position))
            }
            let start = position + QCOW2Snapshot.fixedBytes
            let end = start + extraCount + idCount + nameCount
            try need(end)
            let extra = Array(bytes[start..<start + extraCount])
            let entry = QCOW2Snapshot(
                l1Offset: fixed.u64(0), l1Entries: fixed.u32(8),
                id: Array(bytes[start + extraCount..<start + extraCount + idCount]),
                name: Array(bytes[end - nameCount..<end]), seconds: fixed.u32(16), nanoseconds: fixed.u32(20),
                guestClock: fixed.u64(24), shortStateSize: fixed.u32(32), extra: extra,
                diskSize: extraCount >= 16 ? BigEndianBytes(extra).u64(8) : header.size)
            entries.append(entry)
            position = (end + 7) & ~7
        }
        length = UInt64(position)
    }

    /// The table as bytes. `.limitExceeded` when it is too long.
    func encoded() throws(BlockError) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries { entry.append(to: &bytes) }
        guard UInt64(bytes.count) <= QCOW2Limits.snapshotTableBytes, entries.count <= Int(QCOW2Limits.snapshots) else {
            throw BlockError(
                .limitExceeded,
                "the image cannot keep more snapshots: \(QCOW2Limits.snapshots), in 64 MiB, are the most")
        }
        return bytes
    }

    /// The index of the snapshot that `name` means: by its id, else by a name that only one has.
    func index(of name: String) throws(BlockError) -> Int { try index(of: .either(name)) }

    func index(of snapshot: SnapshotSelector) throws(BlockError) -> Int {
        switch snapshot {
        case .id(let id):
            guard let index = index(ofID: id) else { throw BlockError(.notFound, "no snapshot has the id “\(id)”") }
            return index
        case .name(let name): return try index(ofName: name)
        case .either(let text):
            if let index = index(ofID: text) { return index }
            return try index(ofName: text)
        }
    }

    private func index(ofID id: String) -> Int? {
        let bytes = Array(id.utf8)
        return entries.firstIndex { $0.id == bytes }
    }

    private func index(ofName name: String) throws(BlockError) -> Int {
        let bytes = Array(name.utf8)
        let named = entries.indices.filter { entries[$0].name == bytes }
        guard let first = named.first else { throw BlockError(.notFound, "there is no snapshot “\(name)”") }
        guard named.count == 1 else {
            throw BlockError(.notFound, "\(named.count) snapshots are named “\(name)”; give the id of one")
        }
        return first
    }

    /// An id that no entry has: one more than the largest number in use.
    func freshID() -> [UInt8] {
        let numbers = entries.compactMap { UInt64(String(decoding: $0.id, as: UTF8.self)) }
        let (next, overflow) = (numbers.max() ?? 0).addingReportingOverflow(1)
        if !overflow { return Array(String(next).utf8) }
        let used = Set(numbers)
        var free: UInt64 = 1
        while used.contains(free) { free += 1 }
        return Array(String(free).utf8)
    }

    /// Where the L1 table of `entry` is, checked against the file. `.corrupt` when it is not there.
    static func checkL1(_ entry: QCOW2Snapshot, _ geometry: QCOW2Geometry, fileEnd: UInt64) throws(BlockError) {
        if entry.l1Entries == 0 { return }
        let bytes = UInt64(entry.l1Entries) * 8
        let (end, overflow) = entry.l1Offset.addingReportingOverflow(bytes)
        guard bytes <= QCOW2Limits.l1Bytes, entry.l1Offset >= geometry.clusterSize,
            entry.l1Offset & geometry.clusterMask == 0, !overflow, end <= fileEnd, end <= QCOW2Limits.hostEnd
        else {
            throw BlockError(
                .corrupt, "the L1 table of snapshot “\(entry.info.name)” is not aligned or not inside the file",
                offset: entry.l1Offset)
        }
    }
}
