import BlockIO
import Foundation
public import StorageInterface
import Synchronization

/// The folder below which this host mounts its SRs: each at a folder named by its uuid. The kernel's table of mounts is
/// the record: what a killed toolstack left is found there, adopted when its PBD is plugged, else undone by `sweep(_:)`.
public struct MountFolder: Sendable {
    private let path: String
    /// What was mounted for an SR when it was attached: the device's number.
    private let devices = MountedDevices()
    /// Begins the names of mounts that last for one call.
    private static let passing = "call-"

    public init(path: String) { self.path = path }

    /// Where the SR is mounted, whether it is or not. Without symbolic links, as the kernel names it.
    func point(_ name: String) -> String { resolved + "/" + name }

    func isMounted(_ name: String) -> Bool { MountTable.read().entry(at: point(name)) != nil }

    /// Whether `source` is mounted there already, as an earlier process may have left it. Throws when it is something else.
    func isMounted(_ name: String, from source: String, as types: Set<String>) throws(StorageError) -> Bool {
        let point = point(name)
        guard let entry = MountTable.read().entry(at: point) else { return false }
        guard entry.source == source, types.contains(entry.type) else {
            throw StorageError(
                .mount,
                "\(entry.source) (\(entry.type)) is mounted at \(point), not \(source) (\(types.sorted().joined(separator: " or "))"
                    + "); unmount it, then plug the PBD again")
        }
        return true
    }

    /// Notes what is mounted for the SR.
    func note(_ name: String) throws(StorageError) {
        let device = try Self.device(at: point(name))
        devices.numbers.withLock { $0[name] = device }
    }

    /// What `note` found; throws for an SR that this process has not attached.
    func noted(_ name: String) throws(StorageError) -> UInt {
        if let device = devices.numbers.withLock({ $0[name] }) { return device }
        throw StorageError(.repositoryUnavailable, "the SR \(name) is not mounted on this host; plug its PBD again")
    }

    /// Throws unless the device is what is mounted at `path`, below which files would go elsewhere.
    static func require(_ device: UInt, at path: String) throws(StorageError) {
        if try self.device(at: path) == device { return }
        throw StorageError(
            .repositoryUnavailable,
            "what was mounted at \(path) is not there any more; unplug the PBD and plug it again")
    }

    static func device(at path: String) throws(StorageError) -> UInt {
        var facts = Glibc.stat()
        guard unsafe stat(path, &facts) == 0 else {
            throw StorageError(
                .repositoryUnavailable, BlockError(call: "stat", errno: errno, path: path).description)
        }
        return UInt(facts.st_dev)
    }

    /// Mounts by `mount`, which is given the folder. Nothing is left when it throws.
    func mount(_ name: String, _ mount: (_ point: String) throws(StorageError) -> Void) throws(StorageError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path + "/" + name, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StorageError(
                .mount, "cannot make the folder \(path)/\(name) to mount at: \(error.localizedDescription)")
        }
        let point = point(name)
        do throws(StorageError) {
            try mount(point)
        } catch {
            // A program that was killed may have mounted before it could say so.
            try? unmount(name)
            throw error
        }
    }

    /// Fine when nothing is mounted. `.deviceInUse` while a file there is open.
    func unmount(_ name: String) throws(StorageError) {
        let point = point(name)
        // One mount may hide another.
        while MountTable.read().entry(at: point) != nil {
            guard unsafe umount2(point, Int32(UMOUNT_NOFOLLOW)) == 0 else {
                let error = BlockError(call: "umount", errno: errno, path: point)
                throw StorageError(error.code == .busy ? .deviceInUse : .mount, error.description)
            }
        }
        devices.numbers.withLock { $0[name] = nil }
        unsafe rmdir(point)
    }

    /// Mounts for the time of `body` only.
    func passing<T>(
        _ mount: (_ point: String) throws(StorageError) -> Void, _ body: (_ point: String) throws(StorageError) -> T
    ) throws(StorageError) -> T {
        let name = Self.passing + UUID().uuidString.lowercased()
        try self.mount(name, mount)
        do throws(StorageError) {
            let result = try body(point(name))
            try unmount(name)
            return result
        } catch {
            try? unmount(name)
            throw error
        }
    }

    /// What there may be mounts of.
    public var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// Unmounts what an earlier process left.
    public func sweep(_ name: String) async throws(StorageError) {
        try await RepositoryThreads.run(on: name) { () throws(StorageError) in try unmount(name) }
    }

    private final class MountedDevices: Sendable {
        let numbers = Mutex<[String: UInt]>([:])
    }

    private var resolved: String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
