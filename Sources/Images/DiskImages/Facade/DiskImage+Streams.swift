public import BlockIO
public import CoreTypes

/// Disks as streams of bytes: pipes, sockets, uploads and downloads.
extension DiskImage {
    /// Writes a whole disk to a stream as an image of `format`, without seeking and without a temporary file: one pass
    /// over the extent map, one over the data. The disk must not change meanwhile. `StreamPlan` does the same in two
    /// steps and tells the length in between. `progress` counts bytes of the stream.
    public static func writeStream(
        of device: any BlockDevice, as format: ImageFormat, options: StreamWriteOptions = StreamWriteOptions(),
        to sink: any ByteSink, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        let plan = try StreamPlan(of: device, as: format, options: options, cancellation: cancellation)
        try plan.write(to: sink, progress: progress, cancellation: cancellation)
    }

    /// Reads a stream to its end and writes the disk in it to `destination`, which is not flushed. Returns the bytes of
    /// the disk. `progress` counts bytes of the stream.
    ///
    /// - Throws: `.invalidImage` for what is not of the format, cut off, or followed by something else (of a VHDX and a VMDK
    ///   that is not streamOptimized no structure says where it ends: what follows is passed over); `.corrupt` for
    ///   what contradicts itself; `.denied` for what needs another file; `.outOfRange` when the destination is too
    ///   small; `.limitExceeded` for what is above `options`; `.unsupported` for an order of the parts that cannot be
    ///   followed. After an error the destination's content is undefined, but before the sizes are known to fit nothing
    ///   is changed.
    @discardableResult
    public static func readStream(
        from source: any ByteSource, as format: StreamFormat, options: StreamReadOptions = StreamReadOptions(),
        into destination: StreamDestination, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> UInt64 {
        let raw = RawStreamReader(options: options, progress: progress, cancellation: cancellation)
        switch format {
        case .raw: return try raw.read(source, into: destination, footer: false)
        case .vhd:
            let source = try PrefixedSource(reading: VHDFooter.size, of: source)
            if VHDFooter.isPoisoned(source.head) {
                throw BlockError(.invalidImage, "the VHD was disabled on purpose (footer cookie v_poison)")
            }
            guard let footer = VHDFooter(source.head), footer.kind != .fixed else {
                return try raw.read(source, into: destination, footer: true)
            }
            return try VHDStreamReader(
                source, footer: footer, options: options, progress: progress, cancellation: cancellation
            ).read(into: destination)
        case .qcow2:
            let source = try PrefixedSource(reading: 512, of: source)
            return try QCOW2StreamReader(
                source, options: options, progress: progress, cancellation: cancellation
            ).read(into: destination)
        case .vhdx:
            let spooled = SpooledStreamReader(
                format: .vhdx, options: options, progress: progress, cancellation: cancellation)
            return try spooled.read(PrefixedSource(reading: 512, of: source), into: destination)
        case .vmdk:
            let source = try PrefixedSource(reading: VMDKSparseHeader.byteCount, of: source)
            var isOrdered = false
            if VMDKSparseHeader.isMarked(source.head) { isOrdered = try VMDKSparseHeader(source.head).isCompressed }
            // One that is the difference to a parent needs that beside it, which only files have.
            if !isOrdered || options.imports.parents != .refused {
                return try SpooledStreamReader(
                    format: .vmdk, options: options, progress: progress, cancellation: cancellation
                ).read(source, into: destination)
            }
            return try VMDKStreamReader(
                source, options: options, progress: progress, cancellation: cancellation
            ).read(into: destination)
        }
    }
}
