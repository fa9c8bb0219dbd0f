import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

/// Which images stand on which. A parent is named by its file name alone and lies in the SR's folder; its format is what
/// its name declares. Whatever else an image says of its parent is not followed.
extension FileRepository {
    /// Images in a chain, the disk's own included.
    static let longestChain = 30

    func file(_ name: VolumeName) -> String { path + "/" + name.location }

    func exists(_ name: VolumeName) -> Bool { unsafe access(file(name), F_OK) == 0 }

    func info(_ name: VolumeName) throws(StorageError) -> ImageInfo {
        // Whoever writes to the folder must not lead us to other files of this host.
        var facts = Glibc.stat()
        if unsafe lstat(file(name), &facts) == 0, facts.st_mode & S_IFMT != S_IFREG {
            throw StorageError(.volumeUnavailable, "\(file(name)) is no regular file")
        }
        return try reporting(.volumeUnavailable) { () throws(BlockError) in
            try DiskImage.info(path: file(name), format: name.format, followsLinks: false)
        }
    }

    /// The parent that an image's header names; nil for an image that needs none.
    func parent(_ info: ImageInfo) throws(StorageError) -> VolumeName? {
        guard let named = info.parentName else { return nil }
        do throws(StorageError) {
            return try VolumeName(location: named.split(separator: "/").last.map(String.init) ?? named)
        } catch {
            throw StorageError(
                .volumeUnavailable, "the image needs the parent '\(named)', which is no disk image of this SR")
        }
    }

    /// The images below one, nearest first.
    func parents(of name: VolumeName) throws(StorageError) -> [VolumeName] {
        var found: [VolumeName] = []
        var next = name
        // A raw image has none, and nothing in it is believed.
        while next.format != .raw, let parent = try parent(info(next)) {
            found.append(parent)
            guard found.count < Self.longestChain else {
                throw StorageError(
                    .chainTooLong, "\(file(name)) stands on more than \(Self.longestChain - 1) images, or on itself")
            }
            next = parent
        }
        return found
    }

    /// The volume of that name and those below it, nearest first.
    func chain(_ name: VolumeName) throws(StorageError) -> [Volume] {
        var volumes = [try stat(name)]
        for parent in try parents(of: name) {
            var volume = try described(parent)
            volume.isHidden = true
            volumes.append(volume)
        }
        return volumes
    }

    /// Opens these parents, nearest first, and no others; and no link that others put in the place of an image.
    func policy(_ parents: [VolumeName]) -> OpenPolicy {
        var policy = OpenPolicy.standalone
        policy.followsLinks = false
        if !parents.isEmpty {
            policy.parents = .given(parents.map { ImageReference(path: file($0), format: $0.format) })
        }
        return policy
    }

    // MARK: A disk whose image took another format

    /// The image of the volume at `location`. A raw disk that was snapshotted lives in `<uuid>.qcow2` from then on, also
    /// when whoever asks was cut off before it could note that.
    func find(_ location: String) throws(StorageError) -> VolumeName {
        let asked = try VolumeName(location: location)
        if asked.isBase { return asked }
        var there: [VolumeName] = []
        for format in ImageFormat.allCases {
            let name = try VolumeName(uuid: asked.uuid, format: format)
            if exists(name) { there.append(name) }
        }
        if there.count <= 1 { return there.first ?? asked }
        return try current(of: there)
    }

    /// Of two images of one disk, the one that stands on the other's file: that has become its base under another name,
    /// and the old name only waits to be removed.
    private func current(of names: [VolumeName]) throws(StorageError) -> VolumeName {
        for name in names where name.format != .raw {
            guard let parent = try parent(info(name)), parent.isBase, let below = identity(file(parent)) else {
                continue
            }
            if names.contains(where: { $0 != name && identity(file($0)) == below }) { return name }
        }
        throw StorageError(
            .volumeUnavailable,
            "\(path) holds \(names.map(\.location).joined(separator: " and ")), two images of one disk; remove the wrong one"
        )
    }

    /// Leaves out the names that wait to be removed.
    func settleDoubles(_ scan: inout RepositoryScan) throws(StorageError) {
        var images: [String: [VolumeName]] = [:]
        for volume in scan.volumes {
            let name = try VolumeName(location: volume.location)
            if !name.isBase { images[name.uuid, default: []].append(name) }
        }
        for (_, names) in images where names.count > 1 {
            do throws(StorageError) {
                let current = try current(of: names)
                scan.volumes.removeAll { volume in
                    names.contains { $0 != current && $0.location == volume.location }
                }
            } catch {
                let locations = names.map(\.location)
                scan.volumes.removeAll { locations.contains($0.location) }
                for location in locations { scan.problems[location] = error.message }
            }
        }
    }

    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// How many names the file has.
    private func names(of name: VolumeName) -> UInt64 {
        var facts = Glibc.stat()
        return unsafe lstat(file(name), &facts) == 0 ? UInt64(facts.st_nlink) : 0
    }

    private func identity(_ path: String) -> FileIdentity? {
        var facts = Glibc.stat()
        guard unsafe lstat(path, &facts) == 0 else { return nil }
        return FileIdentity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }

    // MARK: Images that nobody needs

    /// Who stands on whom, as the headers of all images say. Nil when one of them cannot be read: its parent is then
    /// unknown, and nothing may be removed.
    func children() throws(StorageError) -> [VolumeName: Int]? {
        var counts: [VolumeName: Int] = [:]
        for text in try names() {
            guard let name = try? VolumeName(location: text) else { continue }
            if name.format == .raw { continue }
            do throws(StorageError) {
                if let parent = try parent(info(name)) { counts[parent, default: 0] += 1 }
            } catch { return nil }
        }
        return counts
    }

    /// `fault` for an image that others stand on, whatever it says of itself, and for a hidden one that others may.
    func requireChildless(_ name: VolumeName, _ fault: StorageError.Fault = .volumeDeletion) throws(StorageError) {
        guard exists(name) else { return }
        guard let counts = try children() else {
            // An image that cannot be read hides its parent, which a hidden one may be.
            if !name.isBase, (try? info(name))?.isHidden != true { return }
            throw StorageError(fault, "not all images beside \(name.location) can be read; it may be needed by one")
        }
        guard counts[name, default: 0] == 0 else {
            throw StorageError(fault, "other disks stand on \(name.location); destroy them first")
        }
    }

    /// Further names of a disk's image, or of what it stands on, that an operation which was cut off has left: they go with
    /// the disk, as nobody else has them.
    func furtherNames(of name: VolumeName, parent: VolumeName?) throws(StorageError) -> [VolumeName] {
        guard let own = identity(file(name)) else { return [] }
        let below = parent.flatMap { identity(file($0)) }
        // To look at all images is costly, and seldom needed.
        if names(of: name) == 1 && (parent.map(names(of:)) ?? 1) <= 1 { return [] }
        let counts = try children()
        return try names().compactMap { try? VolumeName(location: $0) }.filter { other in
            guard other != name, let identity = identity(file(other)) else { return false }
            // The old name of a disk that goes on over it; a second name of its own image, on which nothing stands.
            if other.uuid == name.uuid { return !other.isBase && identity == below }
            return other.isBase && identity == own && counts?[other, default: 0] == 0
        }
    }

    /// Removes hidden images without children, the nearest parent first, as far as there are such.
    func removeUnneeded(_ parents: [VolumeName]) throws(StorageError) {
        try removeChildless(parents)
        try dropStaleMerges()
    }

    private func removeChildless(_ parents: [VolumeName]) throws(StorageError) {
        for parent in parents {
            guard let counts = try children(), counts[parent, default: 0] == 0, exists(parent) else { return }
            guard try isHidden(parent) else { return }
            guard try removeIfUnused(parent) else { return }
        }
    }

    /// What operations that were cut off left behind. Only bases that this driver named, and only when it is certain that
    /// no image stands on them.
    func removeLeftovers() throws(StorageError) {
        let all = try names().compactMap { try? VolumeName(location: $0) }
        let disks = Dictionary(grouping: all.filter { !$0.isBase }, by: \.uuid)
        for names in disks.values where names.count > 1 {
            guard let current = try? current(of: names), let parent = (try? parent(info(current))) ?? nil,
                let below = identity(file(parent))
            else { continue }
            // The same bytes stay under the base's name.
            for name in names where name != current && identity(file(name)) == below { unsafe unlink(file(name)) }
        }
        guard all.contains(where: \.isBase) else { return }
        var counts = try children()
        for base in all where base.isBase {
            guard let known = counts else { return }
            if known[base, default: 0] > 0 || !exists(base) { continue }
            let below = (try? parents(of: base)) ?? []
            // A second name of a disk's own image, or an image that nothing refers to any more.
            if all.contains(where: { !$0.isBase && identity(file($0)) == identity(file(base)) }) {
                unsafe unlink(file(base))
                try syncFolder()
            } else if try removeIfUnused(base) {
                try removeUnneeded(below)
            } else {
                continue
            }
            // Parents of a base that goes may be unneeded after it.
            counts = try children()
        }
    }

    /// Unlinks an image unless somebody has it open.
    func removeIfUnused(_ name: VolumeName) throws(StorageError) -> Bool {
        do throws(BlockError) {
            let lock = try ImageFile(path: file(name), access: .readWrite, followsLinks: false)
            defer { lock.close() }
            if unsafe unlink(file(name)) != 0 { throw BlockError(call: "unlink", errno: errno, path: file(name)) }
        } catch {
            if error.code == .busy || error.code == .notFound { return false }
            throw StorageError(error, otherwise: .volumeDeletion)
        }
        try syncFolder()
        return true
    }
}
