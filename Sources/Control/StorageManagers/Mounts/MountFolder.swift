import BlockIO
import Foundation
import StorageInterface

/// The folder below which this host mounts its SRs: each at a folder named by its uuid. The kernel's table of mounts is
/// the record: what a killed toolstack left is found there, adopted when its PBD is plugged, else undone by `sweep`.
public struct MountFolder: Sendable {
    private let path: String
    /// Begins the names of mounts that last for one call.
    private static let passing = "call-"

    public init(path: String) { self.path = path }

    /// Where the SR is mounted, whether it is or not. Without symbolic links, as the kernel names it.
    func point(_ name: String) -> String { resolved + "/" + name }

    func isMounted(_ name: String) -> Bool { MountTable.read().entry(at: point(name)) != nil }

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
            unsafe rmdir(point)
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

    /// Unmounts all but the SRs in `uuids`. What cannot be unmounted is named with the reason.
    public func sweep(keeping uuids: Set<String>) -> [String: String] {
        var problems: [String: String] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where !uuids.contains(name) {
            do throws(StorageError) { try unmount(name) } catch { problems[name] = error.message }
        }
        return problems
    }

    private var resolved: String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
