import BlockCopy
import BlockIO
public import CoreTypes
public import DatapathControl
import DiskImages
import Glibc

/// Moves a disk's content between an image file and a byte stream (an upload or a download), in a process of its own:
/// what a stranger uploaded is parsed here, cancelling is killing, and what the process may take is limited for good
/// (`TransferLimits`).
///
/// Nothing is stored on the way but, of uploads whose parts come in an order that cannot be followed (a qcow2 image with
/// data before the tables that describe them), the parts that came too early: in a file without a name beside the image.
public enum ImageTransfer {
    /// Reads a stream in `streamFormat` to its end and writes its content to the image. The stream may be shorter than
    /// the disk: the rest is left as it was for raw, and what lies behind the virtual size for the others. What an image that
    /// says it is a difference to another one (a differencing VHD, a qcow2 image that names a backing file) does not store is
    /// left as it was, too; the other image is never looked for. Every other image makes the disk like itself.
    /// `.outOfRange`, with nothing changed, when it says that it is larger. `inFrames`: a raw stream names the offsets of its
    /// parts (`FramedTransfer`), and what it does not name is left as it was. `user`: whose process this is from here on, and
    /// gives up what else it had.
    public static func receive(
        from stream: Int32, streamFormat: ImageFormat, inFrames: Bool = false, into image: ImageSpecification,
        isolatedAs user: UInt32?
    ) throws {
        // Made while it can be. A raw stream never needs it.
        let spill = streamFormat == .raw ? nil : try? StreamReadOptions.makeSpillFile(in: spillFolder(of: image))
        defer { if let spill { close(spill) } }
        try TransferIsolation.enter([image], user: user)
        try receive(from: stream, streamFormat: streamFormat, inFrames: inFrames, into: image, spill: spill)
    }

    private static func spillFolder(of image: ImageSpecification) -> String {
        if image.format == ImageSpecification.nbd { return "/var/tmp" }
        return image.path.lastIndex(of: "/").map { String(image.path[...$0]) } ?? "."
    }

    /// `spill`: the file for parts that come too early; without it one is made when it is needed.
    static func receive(
        from stream: Int32, streamFormat: ImageFormat, inFrames: Bool = false, into image: ImageSpecification,
        spill: Int32? = nil
    ) throws(BlockError) {
        let device = try image.openTracked()
        do throws(BlockError) {
            var options = StreamReadOptions()
            options.overlaysDestination = true
            options.spillFolder = spillFolder(of: image)
            options.spillFile = spill
            // All data of the disk may come too early, and as much of internal snapshots; more fills other disks' space.
            options.largestSpill = min(device.size, 1 << 60) * 2 + (64 << 20)
            let length = image.format == ImageSpecification.nbd ? nil : try length(of: image.path)
            try TransferLimits.importing(
                diskSize: device.size, imageLength: length, largestSpill: options.largestSpill
            ).apply()
            if inFrames {
                try FramedTransfer.receive(from: DescriptorSource(stream), into: device)
            } else {
                try DiskImage.readStream(
                    from: DescriptorSource(stream), as: StreamFormat(streamFormat), options: options,
                    into: .device(device, isFresh: try isEmpty(device)))
            }
            try device.flush()
        } catch {
            try? device.close()
            throw error
        }
        try device.close()
    }

    /// Writes the image's content to the stream in `streamFormat`: no file is made, however large it is. With a `base` only
    /// what differs from that, as an image that says so: a differencing VHD, or qcow2 with the name of a backing file.
    /// `user`: as `receive`.
    public static func send(
        _ image: ImageSpecification, base: ImageSpecification? = nil, to stream: Int32, streamFormat: ImageFormat,
        isolatedAs user: UInt32?
    ) throws {
        let sources = [image.asSource] + (base.map { [$0.asSource] } ?? [])
        try TransferIsolation.enter(sources, user: user)
        try send(image, base: base, to: stream, streamFormat: streamFormat)
    }

    static func send(
        _ image: ImageSpecification, base: ImageSpecification? = nil, to stream: Int32, streamFormat: ImageFormat
    ) throws(BlockError) {
        let device = try image.open(readOnly: true)
        do throws(BlockError) {
            try TransferLimits.exporting(diskSize: device.size, toFile: isFile(stream)).apply()
            if let base {
                try send(device, base: base, to: stream, streamFormat: streamFormat)
            } else {
                try DiskImage.writeStream(of: device, as: streamFormat, to: DescriptorSink(stream))
            }
        } catch {
            try? device.close()
            throw error
        }
        try device.close()
    }

    private static func send(
        _ device: any BlockDevice, base: ImageSpecification, to stream: Int32, streamFormat: ImageFormat
    ) throws(BlockError) {
        let below = try base.open(readOnly: true)
        do throws(BlockError) {
            let difference = try DifferenceDevice(of: device, from: below)
            let name = StreamWriteOptions.Base(path: base.path, format: ImageFormat(rawValue: base.format) ?? .raw)
            try DiskImage.writeStream(
                of: difference, as: streamFormat, options: StreamWriteOptions(base: name), to: DescriptorSink(stream))
        } catch {
            try? below.close()
            throw error
        }
        try below.close()
    }

    /// Nil for a block device.
    private static func length(of path: String) throws(BlockError) -> UInt64? {
        let file = try ImageFile(path: path, access: .readOnly, locking: false)
        defer { file.close() }
        return file.isBlockDevice ? nil : try file.size()
    }

    private static func isFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Nothing is stored in the image, so zeroes need not be written. Ends with the first data found.
    private static func isEmpty(_ device: any BlockDevice) throws(BlockError) -> Bool {
        var extents: [Extent] = []
        var position: UInt64 = 0
        while position < device.size {
            extents.removeAll(keepingCapacity: true)
            try device.appendExtents(to: &extents, at: position, length: min(1 << 30, device.size - position))
            guard let end = extents.last?.end, end > position else { return false }
            if extents.contains(where: { $0.kind == .data }) { return false }
            position = end
        }
        return true
    }
}
