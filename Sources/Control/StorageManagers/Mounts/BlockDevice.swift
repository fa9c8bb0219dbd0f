import BlockIO
import Foundation
import StorageInterface

/// The block device of an SR, as `device_config:device` names it. Blocking.
struct BlockDevice {
    static let key = "device"
    let path: String
    /// The kernel's number of it.
    let number: UInt

    init(_ configuration: [String: String]) throws(StorageError) {
        guard let path = configuration[Self.key], !path.isEmpty else {
            throw StorageError(.deviceMissing, "The request is missing the device parameter: device-config:device")
        }
        guard path.hasPrefix("/"), !path.contains("\0") else {
            throw StorageError(.invalidDevice, "device-config:device must be an absolute path, not '\(path)'")
        }
        guard !path.contains(",") else {
            throw StorageError(
                .invalidDevice, "device-config:device names several devices ('\(path)'); an SR lies on one")
        }
        var facts = Glibc.stat()
        guard unsafe stat(path, &facts) == 0 else {
            throw StorageError(.invalidDevice, BlockError(call: "stat", errno: errno, path: path).description)
        }
        guard facts.st_mode & S_IFMT == S_IFBLK else {
            throw StorageError(.invalidDevice, "\(path) is not a block device")
        }
        self.path = path
        number = UInt(facts.st_rdev)
    }

    /// Bytes.
    func size() throws(StorageError) -> UInt64 {
        let descriptor = try open(O_RDONLY)
        defer { close(descriptor) }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else {
            throw StorageError(.invalidDevice, BlockError(call: "lseek", errno: errno, path: path).description)
        }
        return UInt64(end)
    }

    /// Throws `.deviceInUse` while the device is mounted or part of something else in the kernel.
    func requireFree() throws(StorageError) { close(try open(O_RDONLY | O_EXCL)) }

    private func open(_ flags: Int32) throws(StorageError) -> Int32 {
        let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else {
            let error = BlockError(call: "open", errno: errno, path: path)
            throw StorageError(error.code == .busy ? .deviceInUse : .invalidDevice, error.description)
        }
        return descriptor
    }

    // MARK: Content

    /// What the device holds, as `blkid` recognises it.
    struct Content: Equatable {
        var type = ""
        var uuid = ""
        var label = ""

        /// For people.
        var text: String { type.isEmpty ? "something that blkid cannot name" : "\(type) (\(uuid))" }
    }

    /// Nil when there is neither a file system nor a partition table nor anything else with a signature.
    func content() throws(StorageError) -> Content? {
        let outcome = try HostCommand.run("blkid", ["-p", "-o", "export", path], seconds: 60)
        switch outcome.status {
        case 0: return Self.content(parsing: outcome.output)
        case 2 where outcome.output.isEmpty: return nil
        // Signatures of several things at once.
        case 8: return Content()
        default:
            throw StorageError(.invalidDevice, "blkid cannot read \(path): \(outcome.output.prefix(500))")
        }
    }

    /// `blkid -o export`: a `KEY=value` in each line.
    static func content(parsing text: String) -> Content {
        var content = Content()
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "TYPE": content.type = parts[1]
            case "PTTYPE" where content.type.isEmpty: content.type = "a partition table of type " + parts[1]
            case "UUID": content.uuid = parts[1]
            case "PTUUID" where content.uuid.isEmpty: content.uuid = parts[1]
            case "LABEL": content.label = parts[1]
            default: break
            }
        }
        return content
    }

    /// Removes every signature, durably.
    func wipe() throws(StorageError) {
        let outcome = try HostCommand.run("wipefs", ["--all", "--quiet", path], seconds: 60)
        guard outcome.status == 0 else {
            throw StorageError(.general, "wipefs cannot clear \(path): \(outcome.output.prefix(500))")
        }
        let descriptor = try open(O_RDWR)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StorageError(BlockError(call: "fsync", errno: errno, path: path), otherwise: .general)
        }
    }
}
