import BlockIO

/// The bytes of a VHDX file as they are once its log is applied. The file itself is never written. Any thread may read.
@safe
final class VHDXFile: Sendable {
    let storage: any ImageStorage
    /// Bytes, with what the log adds.
    let length: UInt64
    private let storedLength: UInt64
    private let changes: VHDXChanges
    /// Entries of the log that were applied.
    let appliedEntries: Int

    init(storage: any ImageStorage, header: VHDXHeader) throws(BlockError) {
        self.storage = storage
        storedLength = try storage.size()
        if header.logID == .zero {
            changes = VHDXChanges()
            appliedEntries = 0
        } else {
            var log = try VHDXLog(file: storage, header: header)
            let entries = try log.activeEntries()
            changes = try VHDXChanges(log: log, entries: entries, file: storage, fileLength: storedLength)
            appliedEntries = entries.count
        }
        length = max(storedLength, changes.length)
    }

    /// Fills the buffer; zeroes past the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        let count = UInt64(buffer.count)
        if offset <= storedLength && count <= storedLength - offset {
            try unsafe storage.readExactly(into: buffer, at: offset)
        } else {
            try unsafe storage.read(into: buffer, at: offset)
        }
        if !changes.isEmpty { try unsafe apply(to: buffer, at: offset, end: offset + count) }
    }

    // SAFETY (here and in `apply`): every range is clamped to offset ..< end, which are the buffer's bytes.
    private func apply(
        to buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, end: UInt64
    ) throws(BlockError) {
        var index = changes.firstZeroes(endingAfter: offset)
        while index < changes.zeroes.count, changes.zeroes[index].lowerBound < end {
            let part = changes.zeroes[index].clamped(to: offset..<end)
            unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[Int(part.lowerBound - offset)..<Int(part.upperBound - offset)]
            ).initializeMemory(as: UInt8.self, repeating: 0)
            index += 1
        }
        index = changes.firstPage(endingAfter: offset)
        while index < changes.pages.count, changes.pages[index].offset < end {
            let page = changes.pages[index]
            let part = (page.offset..<page.offset + VHDXChanges.pageBytes).clamped(to: offset..<end)
            var content = try storage.array(at: page.dataSector, count: Int(VHDXChanges.pageBytes))
            for byte in 0..<8 { content[byte] = UInt8(truncatingIfNeeded: page.first >> (8 * UInt64(byte))) }
            for byte in 0..<4 { content[4092 + byte] = UInt8(truncatingIfNeeded: page.last >> (8 * UInt32(byte))) }
            let wanted = Int(part.lowerBound - page.offset)..<Int(part.upperBound - page.offset)
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[Int(part.lowerBound - offset)...])
                .copyBytes(from: content[wanted])
            index += 1
        }
    }

    /// `count` bytes at `offset`, for metadata of bounded size.
    func array(at offset: UInt64, count: Int) throws(BlockError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the array's own bytes, for the length of the call.
        let failure = unsafe bytes.withUnsafeMutableBytes { buffer -> BlockError? in
            do throws(BlockError) {
                try unsafe read(into: buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The kind of the bytes at `offset` and where that kind ends, at most `end`.
    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        let run = try storage.run(at: offset, end: end)
        if run.isData || changes.isEmpty { return run }
        guard let change = changes.firstChange(in: offset..<run.end) else { return run }
        return change.lowerBound == offset ? (true, change.upperBound) : (false, change.lowerBound)
    }
}
