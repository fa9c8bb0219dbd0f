import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

/// Snapshots and clones. Nobody has the disk's image open meanwhile (`.volumeInUse` otherwise).
///
/// Where the file system shares blocks, the new volume is a clone of the file, and no chain comes to be. Elsewhere the
/// disk's image becomes a base, and the disk and the new volume are differences to it:
///
/// 1. the image gets a second name, the base's; the disk is still the image under the old name;
/// 2. an empty image over the base takes the disk's name in one rename; both show the same;
/// 3. an empty image over the base gets the new volume's name.
///
/// After a crash between 1 and 2 the base's name is a second name of the disk's image, which `removeLeftovers` takes away;
/// after 2 the disk is whole; after 3 the snapshot is there, too, and a scan finds it. A raw disk continues in qcow2: the
/// rename of step 2 is to `<uuid>.qcow2`, and the name `<uuid>.raw` goes after it (`find`).
extension FileRepository {
    /// A snapshot takes the disk's log of changed blocks, where there is one, and the disk gets a new one (`handLog`). A clone
    /// has none.
    func snapshot(
        _ location: String, as uuid: String, fault: StorageError.Fault, takesLog: Bool = false
    ) throws(StorageError) -> DerivedVolume {
        let leaf = try find(location)
        guard takesLog, hasLog(leaf.uuid) else { return try derive(location, as: uuid, fault) }
        try requireAbsent(uuid)
        return try handLog(of: leaf.uuid, to: uuid) { () throws(StorageError) in
            try derive(location, as: uuid, fault)
        }
    }

    private func derive(
        _ location: String, as uuid: String, _ fault: StorageError.Fault
    ) throws(StorageError) -> DerivedVolume {
        let leaf = try find(location)
        if leaf.isBase { throw StorageError(fault, "\(location) is not a disk") }
        let shared = try VolumeName(uuid: uuid, format: leaf.format)
        try requireAbsent(uuid)
        if try share(leaf, as: shared, fault) {
            return DerivedVolume(volume: try stat(shared), origin: try stat(leaf))
        }
        let frozen = try freeze(leaf, fault)
        let new = try VolumeName(uuid: uuid, format: frozen.disk.format)
        do throws(StorageError) {
            try overlay(frozen, as: new, fault)
        } catch {
            // It may have its name already, which was nobody's before: it is empty.
            unsafe unlink(file(new))
            thaw(leaf, frozen)
            throw error
        }
        var base: Volume?
        if frozen.isNew, let first = frozen.parents.first { base = try stat(first) }
        return DerivedVolume(volume: try stat(new), origin: try stat(frozen.disk), base: base)
    }

    /// The disk gets what its snapshot holds, in one rename: before it the old content counts, after it the new.
    func revert(_ location: String, to snapshot: String) throws(StorageError) -> Volume {
        let disk = try find(location)
        guard hasLog(disk.uuid) else { return try revertImage(location, to: snapshot) }
        return try restartLog(of: disk.uuid, at: try find(snapshot)) { () throws(StorageError) in
            try revertImage(location, to: snapshot)
        }
    }

    private func revertImage(_ location: String, to snapshot: String) throws(StorageError) -> Volume {
        let disk = try find(location)
        let source = try find(snapshot)
        let overlayFormat = source.format == .raw ? ImageFormat.qcow2 : source.format
        let below = (try? parents(of: disk)) ?? []
        // Held until the new image has the name: nobody writes the one that goes.
        let lock = try reporting(.volumeClone) { () throws(BlockError) in
            try ImageFile(path: file(disk), access: .readWrite, followsLinks: false)
        }
        defer { lock.close() }
        var isDone = false
        if source.format == disk.format { isDone = try share(source, as: disk, .volumeClone) }
        if !isDone {
            guard disk.format == overlayFormat else {
                throw StorageError(
                    .unimplemented,
                    "the disk is \(disk.format.rawValue) and the snapshot \(source.format.rawValue); clone the snapshot instead"
                )
            }
            let frozen = try freeze(source, .volumeClone)
            do throws(StorageError) {
                try overlay(frozen, as: disk, .volumeClone)
            } catch {
                thaw(source, frozen)
                throw error
            }
        }
        try removeUnneeded(below)
        return try stat(disk)
    }

    /// What does not change any more, and the disk that stands on it now.
    struct Frozen {
        var parents: [VolumeName]
        var disk: VolumeName
        /// The nearest parent was made for this.
        var isNew: Bool
    }

    private func requireAbsent(_ uuid: String) throws(StorageError) {
        for format in ImageFormat.allCases {
            let name = try VolumeName(uuid: uuid, format: format)
            if exists(name) { throw StorageError(.volumeExists, "\(file(name)) exists already") }
        }
    }

    /// Makes what the disk holds now a base. A disk that holds nothing of its own over its parent, as snapshots do, stands
    /// on what is wanted already.
    func freeze(_ leaf: VolumeName, _ fault: StorageError.Fault) throws(StorageError) -> Frozen {
        let parents = try parents(of: leaf)
        // One that has grown since shows zeroes behind its parent, which are its own.
        if let parent = parents.first, try info(parent).virtualSize == info(leaf).virtualSize, try isEmpty(leaf, fault)
        {
            return Frozen(parents: parents, disk: leaf, isNew: false)
        }
        guard parents.count + 1 < Self.longestChain else {
            throw StorageError(
                .chainTooLong,
                "The snapshot chain is too long [opterr=\(parents.count + 1) images of \(Self.longestChain) allowed; destroy "
                    + "snapshots, or copy the disk]")
        }
        // Shared: writers are kept away, and the overlay can open it.
        let lock = try reporting(fault) { () throws(BlockError) in
            try ImageFile(path: file(leaf), access: .readOnly, followsLinks: false)
        }
        defer { lock.close() }
        let base = try VolumeName(uuid: UUID().uuidString.lowercased(), format: leaf.format, isBase: true)
        let disk = try VolumeName(uuid: leaf.uuid, format: leaf.format == .raw ? .qcow2 : leaf.format)
        guard unsafe link(file(leaf), file(base)) == 0 else {
            throw StorageError(BlockError(call: "link", errno: errno, path: file(base)), otherwise: fault)
        }
        let frozen = Frozen(parents: [base] + parents, disk: disk, isNew: true)
        do throws(StorageError) {
            try syncFolder()
            FolderPoint.reached("base-named")
            try overlay(frozen, as: disk, fault)
        } catch {
            // The disk's name may have changed hands already: then the base holds its data.
            if identicalFiles(leaf, base) && (disk == leaf || !exists(disk)) { unsafe unlink(file(base)) }
            throw error
        }
        if disk != leaf {
            FolderPoint.reached("disk-over-base")
            unsafe unlink(file(leaf))
            try syncFolder()
        }
        return frozen
    }

    /// Gives a disk that was frozen for nothing its image back: the image over the base is still empty, so that both show the
    /// same, and nothing else stands on the base: what failed may have done so after another disk got there. Of one format
    /// it is one rename. A raw disk has its old name for the base first, then the new one goes, then the base's: in between
    /// `find` knows which counts. Where a step fails the disk stands on the base, and is whole.
    private func thaw(_ leaf: VolumeName, _ frozen: Frozen) {
        guard frozen.isNew, let base = frozen.parents.first, (try? isEmpty(frozen.disk, .general)) == true,
            let counts = try? children(), counts[base] == 1
        else { return }
        if frozen.disk == leaf {
            guard unsafe rename(file(base), file(leaf)) == 0 else { return }
        } else {
            guard unsafe link(file(base), file(leaf)) == 0, (try? syncFolder()) != nil,
                unsafe unlink(file(frozen.disk)) == 0, (try? syncFolder()) != nil
            else { return }
            unsafe unlink(file(base))
        }
        try? syncFolder()
    }

    private func identicalFiles(_ one: VolumeName, _ other: VolumeName) -> Bool {
        var (first, second) = (Glibc.stat(), Glibc.stat())
        guard unsafe lstat(file(one), &first) == 0, unsafe lstat(file(other), &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// An empty image over the frozen one, under `name`, whose image it replaces.
    private func overlay(_ below: Frozen, as name: VolumeName, _ fault: StorageError.Fault) throws(StorageError) {
        guard let parent = below.parents.first else { throw StorageError(fault, "there is no image to stand on") }
        let facts = try info(parent)
        var options = CreateOptions()
        options.parent = CreateOptions.Parent(name: parent.location, format: parent.format)
        if parent.format == .qcow2, let size = facts.clusterSize { options.clusterSize = size }
        let temporary = path + "/" + Self.unfinished + name.location
        try reporting(fault) { () throws(BlockError) in
            try Self.make(temporary, name.format, size: facts.virtualSize, options, policy(below.parents))
        }
        try publish(temporary, as: file(name))
    }

    /// Whether an image with parents holds nothing itself.
    private func isEmpty(_ name: VolumeName, _ fault: StorageError.Fault) throws(StorageError) -> Bool {
        try reporting(fault) { () throws(BlockError) in
            var policy = policy([])
            policy.parents = .ignored
            let image = try DiskImage.open(path: file(name), format: name.format, readOnly: true, policy: policy)
            defer { try? image.close() }
            var position: UInt64 = 0
            var extents: [Extent] = []
            while position < image.size {
                extents.removeAll(keepingCapacity: true)
                try image.appendExtents(to: &extents, at: position, length: image.size - position)
                guard let end = extents.last?.end, end > position else { return false }
                if extents.contains(where: { $0.kind != .hole }) { return false }
                position = end
            }
            return true
        }
    }

    /// A file that shares the blocks of `source` gets the name. False where the file system cannot do that.
    private func share(
        _ source: VolumeName, as name: VolumeName, _ fault: StorageError.Fault
    ) throws(StorageError) -> Bool {
        let temporary = path + "/" + Self.unfinished + name.location
        let isShared = try reporting(fault) { () throws(BlockError) in
            let original = try ImageFile(path: file(source), access: .readOnly, followsLinks: false)
            defer { original.close() }
            let copy = try ImageFile(path: temporary, access: .create)
            defer { copy.close() }
            do throws(BlockError) {
                let isShared = try copy.clone(from: original, at: 0, length: try original.size(), to: 0)
                if isShared { try copy.sync() } else { unsafe unlink(temporary) }
                return isShared
            } catch {
                unsafe unlink(temporary)
                throw error
            }
        }
        if isShared { try publish(temporary, as: file(name)) }
        return isShared
    }
}
