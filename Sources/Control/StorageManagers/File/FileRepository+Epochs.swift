import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

/// Disks that show the same content at every boot. What a guest writes goes to an image of its own over the disk's, of a name
/// that no scan sees; the disk's image is only read meanwhile. So the disk is whole whatever happens, and what is left of a
/// guest is in nobody's way: the next boot replaces it, and it goes with the disk.
extension FileRepository {
    private static let epochs = ".gantry-epoch-"

    /// The format has no limits of the disk's: what it stands on may be anything.
    private func epoch(_ name: VolumeName) -> String { path + "/" + Self.epochs + name.uuid + ".qcow2" }

    func beginEpoch(_ location: String) throws(StorageError) {
        let name = try find(location)
        let facts = try info(name)
        if name.isBase || facts.isHidden {
            throw StorageError(.volumeUnavailable, "\(name.location) holds what other disks stand on")
        }
        let below = [name] + (try parents(of: name))
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: name.location, format: name.format)
        let temporary = path + "/" + Self.unfinished + "epoch-" + name.uuid
        unsafe unlink(temporary)
        try reporting(.volumeClone) { () throws(BlockError) in
            try Self.make(temporary, .qcow2, size: facts.virtualSize, options, policy(below))
        }
        try publish(temporary, as: epoch(name))
    }

    func endEpoch(_ location: String) throws(StorageError) {
        let name = try find(location)
        if unsafe unlink(epoch(name)) != 0, errno != ENOENT {
            throw StorageError(BlockError(call: "unlink", errno: errno, path: epoch(name)), otherwise: .volumeDeletion)
        }
    }

    /// Of disks that are gone, unless somebody still has them open. With the folder held, or when the SR goes.
    func removeEpochs() throws(StorageError) {
        let all = try names(hidden: true)
        let left = all.filter { $0.hasPrefix(Self.epochs) && $0.hasSuffix(".qcow2") }
        if left.isEmpty { return }
        let disks = Set(all.compactMap { try? VolumeName(location: $0).uuid })
        for name in left where !disks.contains(String(name.dropFirst(Self.epochs.count).dropLast(".qcow2".count))) {
            let final = path + "/" + name
            do throws(BlockError) {
                let lock = try ImageFile(path: final, access: .readWrite, followsLinks: false)
                defer { lock.close() }
                if unsafe unlink(final) != 0 { throw BlockError(call: "unlink", errno: errno, path: final) }
            } catch {
                if error.code == .busy || error.code == .notFound { continue }
                throw StorageError(error, otherwise: .volumeDeletion)
            }
        }
    }

    func epochAccess(_ name: VolumeName) throws(StorageError) -> VolumeAccess {
        guard unsafe access(epoch(name), F_OK) == 0 else {
            throw StorageError(.volumeUnavailable, "\(epoch(name)), what the guest wrote since it booted, is gone")
        }
        return .chain(
            VolumeImage(path: epoch(name), format: .qcow2),
            parents: ([name] + (try parents(of: name))).map { VolumeImage(path: file($0), format: $0.format) })
    }
}
