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
    let parent: (any BlockDevice)?
    let notes: [String]
    let closing = ImportedClosing()

    init(
        file: VHDXFile, metadata: VHDXMetadata, blocks: VHDXBlocks, dataWriteID: WindowsGUID,
        parent: (any BlockDevice)?, notes: [String]
    ) {
        self.file = file
        self.notes = notes
        self.blocks = blocks
        self.parent = parent
        self.dataWriteID = dataWriteID
        size = metadata.virtualSize
        logicalSector = metadata.logicalSector
    }

    func resolve(_ offset: UInt64, most: UInt64) throws(BlockError) -> ImportedRun<UInt64> {
        let block = offset / blocks.blockSize
        let within = offset % blocks.blockSize
        let wanted = (within + most).dividedRoundingUp(by: blocks.blockSize)
        let run = try blocks.run(from: block, most: wanted)
        let length = min(run.count * blocks.blockSize - within, most)
        switch run.block {
        case .absent: return ImportedRun(content: .parent, length: length)
        case .zero: return ImportedRun(content: .zero(.zero), length: length)
        case .unmapped: return ImportedRun(content: .zero(.hole), length: length)
        case .present(let start): return ImportedRun(content: .stored(start + within), length: length)
        case .partial(let start):
            let part = try blocks.presence(of: block, within: within, most: length)
            return ImportedRun(content: part.isHere ? .stored(start + within) : .parent, length: part.length)
        }
    }

    func read(_ place: UInt64, into target: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe file.read(into: target, at: place)
    }

    func storedRun(_ place: UInt64, length: UInt64) throws(BlockError) -> (isData: Bool, length: UInt64) {
        let run = try file.run(at: place, end: place + length)
        return (run.isData, run.end - place)
    }

    /// Blocks that have no entry written at all.
    func parentRun(_ offset: UInt64, end: UInt64) throws(BlockError) -> UInt64 {
        let count = try blocks.absentRun(from: offset / blocks.blockSize, file: file)
        if count == 0 { return 0 }
        return min((offset / blocks.blockSize + count) * blocks.blockSize, end) - offset
    }

    func close() throws(BlockError) {
        closing.close()
        file.storage.close()
        try parent?.close()
    }
}
