import BlockIO
import DatapathControl
import Glibc
import Synchronization

extension ImageSpecification {
    /// Opens the image for writing, with what is written marked in its log of changed blocks, where it has one.
    /// `answerSeconds`: as `open`.
    func openTracked(answerSeconds: Double? = nil) throws(BlockError) -> any BlockDevice {
        try tracked(try open(readOnly: false, answerSeconds: answerSeconds))
    }

    /// `device`, which is this image and open, with its log. It is closed when that cannot be opened: a disk is not written
    /// behind the back of its log.
    func tracked(_ device: any BlockDevice) throws(BlockError) -> any BlockDevice {
        guard let changeLog, !device.isReadOnly else { return device }
        do throws(BlockError) {
            return TrackedDevice(device, tracking: try ChangeTracking(path: changeLog, size: device.size))
        } catch {
            try? device.close()
            throw error
        }
    }
}

/// Who marks the changes of the disk, as it moves from one image to another. Without a log nothing is in the way.
final class TrackedImages: Sendable {
    private let disk = Mutex<TrackedDevice?>(nil)
    private let destination = Mutex<TrackedDevice?>(nil)
    private let released = Mutex<[ChangeLogFile]>([])
    /// Of a snapshot, which nobody writes.
    let frozen = Mutex<FrozenChanges?>(nil)

    var tracking: ChangeTracking? { disk.withLock { $0?.tracking } }
    var isTracking: Bool { tracking?.isWritten ?? false }

    /// The disk is this now.
    func setDisk(_ device: any BlockDevice) { disk.withLock { $0 = device as? TrackedDevice } }

    /// Before a mirror starts: what the disk has marked is in the destination's log from here on, and what it will mark. The
    /// copy itself goes past it: it changes nothing of the disk.
    func follow(_ target: any BlockDevice, log: String?) throws(BlockError) -> any BlockDevice {
        guard let tracking, tracking.isWritten else {
            // A log that nobody writes promises too much.
            if let log { try ChangeLogFile.discard(path: log) }
            return target
        }
        guard let log else {
            throw BlockError(.unsupported, "the disk's changed blocks are tracked and the destination's cannot be")
        }
        try tracking.follow(path: log, size: target.size)
        let device = TrackedDevice(target, tracking: nil)
        destination.withLock { $0 = device }
        return device
    }

    /// The destination that was followed has been reached again, as `device`: what is in the place of that one from here on.
    func reopened(_ device: any BlockDevice) -> any BlockDevice {
        destination.withLock { destination in
            if destination == nil { return device }
            let next = TrackedDevice(device, tracking: nil)
            destination = next
            return next
        }
    }

    /// The destination is the disk. While no request is under way.
    func commit() {
        let followed = destination.withLock { device in
            defer { device = nil }
            return device
        }
        guard let next = followed else { return }
        disk.withLock { device in
            device?.handOver(to: next)
            device = next
        }
        next.tracking?.settle(stays: false)
    }

    /// The source stays the disk. The destination's log is not written any more, and is to be closed by `closeReleased`, while nobody
    /// waits: it lies beside the destination, whose storage may hang.
    func cancel() {
        destination.withLock { $0 = nil }
        let logs = tracking?.release(stays: true) ?? []
        released.withLock { $0 += logs }
    }

    func closeReleased() {
        let logs = released.withLock { logs in
            defer { logs = [] }
            return logs
        }
        for log in logs { log.close() }
    }

    func merge(log: String?, parent: String?) throws(BlockError) {
        guard let tracking else { throw BlockError(.notFound, "the disk's changed blocks are not tracked") }
        try tracking.merge(logAt: log, parent: parent.flatMap { DiskID($0) })
    }
}
