public import BlockIO
import CoreTypes

extension RawImage: HostMappedDevice, PlacingDevice {
    /// One call asks the file system for at most this many runs.
    private static let runsPerTable = 16384

    public var isLinear: Bool { true }
    public var knowsHoles: Bool { true }
    public var hostFiles: [ImageFile] { (file as? ImageFile).map { [$0] } ?? [] }

    public func appendHostExtents(
        to extents: inout [HostExtent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        try checkRange(offset, length)
        if isReadOnly, try file.size() < tail.lowerBound {
            throw BlockError(
                .io, "the file was cut short since it was opened: the disk has \(size) bytes", path: file.path)
        }
        try file.appendHostRuns(to: &extents, at: offset, length: length, limit: Self.runsPerTable)
    }

    public func place(
        at offset: UInt64, length: UInt64, put: (ImageFile, UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) -> UInt64 {
        try checkRange(offset, length)
        guard !isReadOnly, !refusesForeignMarks, let file = file as? ImageFile else { return 0 }
        try prepareTail(offset + length)
        try put(file, offset, length)
        return length
    }
}

extension ImageStorage {
    /// The runs of a file whose bytes are the device's bytes, one to one.
    func appendHostRuns(
        to extents: inout [HostExtent], at offset: UInt64, length: UInt64, limit: Int
    ) throws(BlockError) {
        var position = offset
        let end = offset + length
        var runs = 0
        var isBehindHole = false
        while position < end, runs < limit {
            let run = try isBehindHole ? dataRun(at: position, end: end) : run(at: position, end: end)
            isBehindHole = !run.isData
            // The file's last, partial sector is data as a whole.
            let runEnd = run.isData ? min(run.end.roundedUp(to: 512) ?? end, end) : run.end
            extents.append(
                HostExtent(
                    offset: position, length: runEnd - position, kind: run.isData ? .data : .hole, file: 0,
                    host: position))
            position = runEnd
            runs += 1
        }
    }
}
