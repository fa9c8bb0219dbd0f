import BlockIO

/// Where the block table and the metadata of a VHDX file lie: its region table.
struct VHDXRegions: Hashable, Sendable {
    /// | offset | width | field |
    /// | --- | --- | --- |
    /// | 0 | 4 | `regi` |
    /// | 4 | 4 | CRC-32C of the 64 KiB |
    /// | 8 | 4 | entries |
    /// | 16 + 32 n | 16, 8, 4, 4 | identifier, file offset, length, bit 0: must be known |
    static let byteCount = 65536
    static let offsets: [UInt64] = [192 << 10, 256 << 10]
    static let mostEntries: UInt32 = 2047
    // Both are constants of the format.
    static let blockTableID = WindowsGUID("2dc27766-f623-4200-9d64-115e9bfd4a08") ?? .zero
    static let metadataID = WindowsGUID("8b7ca206-4790-4b9a-b8fe-575f050f886e") ?? .zero

    let blockTable: Range<UInt64>
    let metadata: Range<UInt64>
    let note: String?

    /// Reads the table, or its copy when it is damaged. `file` shows the file with its log applied.
    init(file: VHDXFile, log: Range<UInt64>) throws(BlockError) {
        var found: LittleEndianBytes?
        var note: String?
        for offset in Self.offsets where found == nil {
            let bytes = try file.array(at: offset, count: Self.byteCount)
            let fields = LittleEndianBytes(bytes)
            if fields.hasMark("regi", at: 0), fields.u32(4) == CRC32C.of(bytes, zeroing: 4) {
                found = fields
            } else {
                note = "the first region table is damaged; its copy was used"
            }
        }
        guard let fields = found else {
            throw BlockError(.corrupt, "neither of the VHDX file's two region tables is whole")
        }
        self.note = note
        let count = fields.u32(8)
        guard count <= Self.mostEntries else {
            throw BlockError(.corrupt, "the VHDX region table claims \(count) entries; \(Self.mostEntries) fit")
        }
        var seen: [WindowsGUID: Range<UInt64>] = [:]
        var occupied: [Range<UInt64>] = log.isEmpty ? [] : [log]
        for index in 0..<Int(count) {
            let entry = 16 + 32 * index
            let id = WindowsGUID(fields, at: entry)
            let offset = fields.u64(entry + 16)
            let length = UInt64(fields.u32(entry + 24))
            let isKnown = id == Self.blockTableID || id == Self.metadataID
            guard isKnown || fields.u32(entry + 28) & 1 == 0 else {
                throw BlockError(.unsupported, "the VHDX file needs the region \(id.text), which is not known")
            }
            guard offset % (1 << 20) == 0, length % (1 << 20) == 0, length > 0, offset >= VHDXHeader.firstFree,
                offset <= file.length, length <= file.length - offset
            else {
                throw BlockError(
                    .corrupt, "the VHDX region \(id.text) of \(length) bytes is unaligned or outside the file",
                    offset: offset)
            }
            guard seen.updateValue(offset..<offset + length, forKey: id) == nil else {
                throw BlockError(.corrupt, "the VHDX file has the region \(id.text) twice")
            }
            occupied.append(offset..<offset + length)
        }
        occupied.sort { $0.lowerBound < $1.lowerBound }
        for (a, b) in zip(occupied, occupied.dropFirst()) where a.upperBound > b.lowerBound {
            throw BlockError(.corrupt, "two VHDX regions lie over each other", offset: b.lowerBound)
        }
        guard let blockTable = seen[Self.blockTableID], let metadata = seen[Self.metadataID] else {
            throw BlockError(.corrupt, "the VHDX file has no block table or no metadata")
        }
        self.blockTable = blockTable
        self.metadata = metadata
    }
}
