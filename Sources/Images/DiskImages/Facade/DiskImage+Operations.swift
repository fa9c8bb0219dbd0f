public import BlockIO
public import CoreTypes

/// Work on whole images that nobody else has open.
extension DiskImage {
    /// Looks for damage and, with `repair`, puts it right. The parents are not opened.
    /// - Throws: `.unsupported` for raw, which has nothing that could be checked; what opening throws when the image
    ///   cannot be read at all.
    public static func check(
        path: String, format: ImageFormat, repair: RepairChoice? = nil, policy: OpenPolicy = .standalone,
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> CheckReport {
        let file = try ImageFile(path: path, access: repair == nil ? .readOnly : .readWrite)
        defer { file.close() }
        do throws(BlockError) {
            switch format {
            case .raw:
                throw BlockError(.unsupported, "a raw image has no structure that could be checked")
            case .vhd:
                return try VHDImage.check(
                    file: file, repair: repair, size: policy.vhdSize, opensDisabled: policy.opensDisabled,
                    cancellation: cancellation)
            case .qcow2:
                return try QCOW2Image.check(
                    storage: file, repair: repair, policy: policy, cancellation: cancellation)
            }
        } catch { throw error.at(path: path) }
    }

    /// Gives an image another virtual size. A larger disk reads as zeroes in its new part, also over a longer parent.
    /// - Parameter shrink: allows a smaller size, which destroys what lies behind it; `.denied` otherwise.
    public static func resize(
        path: String, format: ImageFormat, to size: UInt64, shrink: Bool = false,
        preallocation: CreateOptions.Preallocation = .off, policy: OpenPolicy = .standalone
    ) throws(BlockError) {
        let limit = try info(path: path, format: format, followsLinks: policy.followsLinks).largestSize
        guard let rounded = size.roundedUp(to: 512), rounded <= limit else {
            throw FormatCapabilities.tooLarge(size, format, limit: limit).at(path: path)
        }
        let device = try open(path: path, format: format, readOnly: false, policy: policy)
        do throws(BlockError) {
            guard let resizable = device as? any ResizableDevice else {
                throw BlockError(.unsupported, "this \(format.rawValue) image cannot be resized", path: path)
            }
            if rounded < device.size && !shrink {
                throw BlockError(
                    .denied,
                    "the disk has \(device.size) bytes; making it smaller destroys what lies behind \(rounded)"
                        + " and must be asked for", path: path)
            }
            try resizable.resize(to: rounded, preallocation: preallocation)
        } catch {
            try? device.close()
            throw error
        }
        try device.close()
    }
}

/// A device whose virtual size can change while it is in use. `size` gives the new one from then on.
public protocol ResizableDevice: BlockDevice {
    /// `size` is a multiple of 512. A smaller one only while nobody else uses the device.
    func resize(to size: UInt64, preallocation: CreateOptions.Preallocation) throws(BlockError)
}
