import BlockCopy
import BlockIO
import DatapathControl

/// The file in which a data path leaves how far its mirror is, for the process that comes after it.
enum MirrorMaps {
    /// At the start, before any client can write: what an earlier process left is kept up to date until it is wanted, or
    /// removed when it is of other images or cannot be trusted.
    static func takeUp(_ path: String, _ image: ImageSpecification, _ device: SwitchableDevice) throws(BlockError) {
        guard let identity = MirrorLog.identity(at: path), identity.hasPrefix(Self.identity(image, nil)),
            let log = try MirrorLog.resume(path: path, size: device.size, identity: identity)
        else {
            return MirrorLog.remove(path)
        }
        device.track(log)
    }

    /// The log of a mirror that is to start: the tracked one where that is wanted and is of these images, else a new one.
    static func log(
        _ path: String?, _ image: ImageSpecification, _ destination: ImageSpecification, _ device: SwitchableDevice,
        resume: Bool
    ) throws(BlockError) -> MirrorLog? {
        guard let path else { return nil }
        let wanted = identity(image, destination)
        if resume, let tracked = device.trackedLog, tracked.size == device.size,
            MirrorLog.identity(at: path) == wanted
        {
            return tracked
        }
        return try MirrorLog(size: device.size, path: path, identity: wanted)
    }

    private static func identity(_ image: ImageSpecification, _ destination: ImageSpecification?) -> String {
        "\(image.format) \(image.path)\n" + (destination.map { "\($0.format) \($0.path)" } ?? "")
    }
}
