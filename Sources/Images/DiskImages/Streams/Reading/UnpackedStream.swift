public import BlockIO
public import CoreTypes
import Glibc

extension DiskImage {
    /// Reads a stream to its end and keeps what it holds in a file without a name, in the folder that `options` name: the disk, for
    /// reading in any order and more than once. The file goes with the device, and with the process.
    ///
    /// VHDX, VMDK and qcow2 images of which a snapshot is meant are kept as they come; of all others the disk is kept, unpacked. Either
    /// takes as much space as it is long, less its zeroes.
    /// - Parameters:
    ///   - snapshot: one that is kept in a qcow2 image; nil: the disk as it is.
    ///   - policy: finds the parents of an image of which a snapshot is meant, in the place of the parent in `options`.
    /// - Throws: as `readStream`, `.notFound` when there is no such snapshot, `.unsupported` for formats without any and
    ///   without a folder.
    public static func unpackStream(
        from source: any ByteSource, as format: StreamFormat, options: StreamReadOptions,
        snapshot: SnapshotSelector? = nil, policy: OpenPolicy = .standalone,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> any BlockDevice {
        if let snapshot {
            guard format == .qcow2 else {
                throw BlockError(.unsupported, "\(format.rawValue) images have no internal snapshots")
            }
            // What is certainly no image is refused before the rest of the stream has come.
            let source = try PrefixedSource(reading: 4, of: source)
            guard source.head.count == 4, BigEndianBytes(source.head).u32(0) == QCOW2Header.magic else {
                throw BlockError(.invalidImage, "not a qcow2 image: the stream does not begin with the mark QFI")
            }
            let spool = StreamSpool(
                format: format.rawValue, options: options, progress: progress, cancellation: cancellation)
            var policy = policy
            policy.largestVirtualSize = min(policy.largestVirtualSize, options.largestVirtualSize)
            return try view(snapshot, in: try spool.keep(source), policy)
        }
        switch format {
        case .raw, .vhd, .qcow2: break
        case .vhdx:
            return try SpooledStreamReader(
                format: .vhdx, options: options, progress: progress, cancellation: cancellation
            ).open(PrefixedSource(reading: 512, of: source))
        case .vmdk:
            let source = try PrefixedSource(reading: VMDKSparseHeader.byteCount, of: source)
            return try SpooledStreamReader(
                format: .vmdk, options: options, progress: progress, cancellation: cancellation
            ).open(source)
        }
        guard let folder = options.spillFolder else {
            throw BlockError(.unsupported, "there is no place to keep the disk in the stream")
        }
        return try unpack(source, format, options, in: folder, progress, cancellation)
    }

    private static func view(
        _ snapshot: SnapshotSelector, in file: ImageFile, _ policy: OpenPolicy
    ) throws(BlockError) -> any BlockDevice {
        let image: QCOW2Image
        do throws(BlockError) {
            image = try QCOW2Image.open(storage: file, readOnly: true, chain: ChainContext(policy: policy))
        } catch {
            file.close()
            throw error
        }
        let device: any BlockDevice
        do throws(BlockError) {
            device = try image.viewSnapshot(snapshot, closesImage: true)
        } catch {
            try? image.close()
            throw error
        }
        guard device.size <= policy.largestVirtualSize else {
            let size = device.size
            try? device.close()
            throw BlockError(
                .limitExceeded,
                "the snapshot claims \(size) bytes; \(policy.largestVirtualSize) are allowed here")
        }
        return device
    }

    private static func unpack(
        _ source: any ByteSource, _ format: StreamFormat, _ options: StreamReadOptions, in folder: String,
        _ progress: ProgressCounter, _ cancellation: CancellationFlag
    ) throws(BlockError) -> any BlockDevice {
        let descriptor = try SpillFile.make(in: folder)
        // Errors of writing name the place that has too little room.
        let file = try ImageFile(
            descriptor: descriptor, path: folder, isReadOnly: false, locking: false, isUnpublished: true)
        defer { file.close() }
        var options = options
        // One that does not say how large its disk is ends where it does, or at the limit.
        options.provisionalSize = FormatCapabilities.largestRaw
        let length = try readStream(
            from: source, as: format, options: options,
            into: .make { (size) throws(BlockError) in UnpackedDisk(file, size: size) }, progress: progress,
            cancellation: cancellation)
        try file.truncate(to: length.roundedUp(to: 512) ?? length)
        let reader = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if reader < 0 { throw BlockError(call: "fcntl(F_DUPFD)", errno: errno, path: folder) }
        let complete = try ImageFile(
            descriptor: reader, path: "the stream", isReadOnly: true, locking: false, isUnpublished: true)
        do throws(BlockError) {
            return try RawImage.open(file: complete)
        } catch {
            complete.close()
            throw error
        }
    }
}

/// A disk in an empty file, which is as long as what was written so far.
private final class UnpackedDisk: BlockDevice {
    let size: UInt64
    private let file: ImageFile

    init(_ file: ImageFile, size: UInt64) {
        self.file = file
        self.size = size
    }

    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 4096 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        try unsafe file.read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        try unsafe file.write(data, at: offset)
    }

    /// Nothing lies behind the file's end.
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        let end = min(offset + length, try file.size())
        if offset < end { try file.zero(at: offset, length: end - offset, mayUnmap: true) }
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try writeZeroes(at: offset, length: length, mayUnmap: true)
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        if length > 0 { extents.appendJoining(Extent(offset: offset, length: length, kind: .data)) }
    }

    func flush() throws(BlockError) {}
    func close() throws(BlockError) {}
}
