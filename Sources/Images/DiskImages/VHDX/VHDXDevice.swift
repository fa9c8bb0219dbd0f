import BlockIO
import CoreTypes

/// The disk in a VHDX file, read-only: fixed, dynamic, or differencing over its parent.
final class VHDXDevice: ImportedDevice {
    let size: UInt64
    var preferredAlignment: UInt64 { blocks.blockSize }
    let logicalSector: UInt64
    /// Identifies the disk's content; children name their parent by it.
    let dataWriteID: WindowsGUID
    private let file: VHDXFile
    private let blocks: VHDXBlocks
    private let parent: (any BlockDevice)?
    let closing = ImportedClosing()

    init(
        file: VHDXFile, metadata: VHDXMetadata, blocks: VHDXBlocks, dataWriteID: WindowsGUID,
        parent: (any BlockDevice)?
    ) {
        self.file = file
        self.blocks = blocks
        self.parent = parent
        self.dataWriteID = dataWriteID
        size = metadata.virtualSize
        logicalSector = metadata.logicalSector
    }

    /// Adjoining bytes that come from one place.
    private struct Run {
        enum Kind {
            case parent
            case zero
            case unmapped
            case data(UInt64)
        }

        var kind: Kind
        var length: UInt64
    }

    /// Resolves `offset`, inside the disk, and up to `most` bytes from it on.
    private func resolve(_ offset: UInt64, most: UInt64) throws(BlockError) -> Run {
        let block = offset / blocks.blockSize
        let within = offset % blocks.blockSize
        let wanted = (within + most).dividedRoundingUp(by: blocks.blockSize)
        let run = try blocks.run(from: block, most: wanted)
        let length = min(run.count * blocks.blockSize - within, most)
        switch run.block {
        case .absent: return Run(kind: .parent, length: length)
        case .zero: return Run(kind: .zero, length: length)
        case .unmapped: return Run(kind: .unmapped, length: length)
        case .present(let start): return Run(kind: .data(start + within), length: length)
        case .partial(let start):
            let part = try blocks.presence(of: block, within: within, most: length)
            return Run(kind: part.isHere ? .data(start + within) : .parent, length: part.length)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRequest(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let run = try resolve(position, most: UInt64(buffer.count - done))
            let count = Int(run.length)
            // SAFETY: `resolve` gives no more than was asked for.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            switch run.kind {
            case .data(let start): try unsafe file.read(into: target, at: start)
            case .zero, .unmapped: unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            case .parent:
                if let parent {
                    try unsafe ImportedExtents.read(from: parent, into: target, at: position)
                } else {
                    unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
                }
            }
            done += count
        }
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRequest(offset, length)
        var position = offset
        let end = offset + length
        let most = extents.count + ImportedExtents.perCall
        while position < end, extents.count < most {
            var run = try resolve(position, most: end - position)
            switch run.kind {
            case .data(let start):
                let part = try file.run(at: start, end: start + run.length)
                run.length = part.end - start
                let empty: Extent.Kind = parent == nil ? .hole : .zero
                extents.appendJoining(
                    Extent(offset: position, length: run.length, kind: part.isData ? .data : empty))
            case .zero: extents.appendJoining(Extent(offset: position, length: run.length, kind: .zero))
            case .unmapped: extents.appendJoining(Extent(offset: position, length: run.length, kind: .hole))
            case .parent:
                run.length = max(run.length, try emptyRun(position, end))
                guard let parent else {
                    extents.appendJoining(Extent(offset: position, length: run.length, kind: .hole))
                    break
                }
                try ImportedExtents.append(of: parent, to: &extents, at: position, length: run.length)
                // The parent may have stopped early; so do we.
                if let last = extents.last, last.end < position + run.length { return }
            }
            position += run.length
        }
    }

    /// Bytes from `position` on whose blocks have no entry written at all.
    private func emptyRun(_ position: UInt64, _ end: UInt64) throws(BlockError) -> UInt64 {
        let count = try blocks.absentRun(from: position / blocks.blockSize, file: file)
        if count == 0 { return 0 }
        return min((position / blocks.blockSize + count) * blocks.blockSize, end) - position
    }

    func close() throws(BlockError) {
        closing.close()
        file.storage.close()
        try parent?.close()
    }
}
