import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface
import Synchronization

/// The space reclaimer's steps on a folder of images. Blocking.
///
/// Which image is authoritative, at each moment: a disk is what its name shows with its parents. `merge` changes only bytes
/// of a hidden parent that its only child masks. When all of them are durable there, the note says so, durably, before the
/// first child of the merged image is put on the parent: from then on both ways show the same. `fold` changes masked bytes,
/// too, and then gives the parent the disk's name in one rename; a parent of another format (raw) gets the disk's name in
/// its own format beside the disk's, which goes after that: until then `find` knows the disk by the image that stands on the
/// other (see there). Nothing is unlinked before what it showed is shown by another name, durably.
extension FileRepository {
    static let reclaimerLock = ".gantry-sr-reclaim"
    /// Bytes of a disk's image that are put into its parent while the disk's requests wait. More than what the plan asks for:
    /// the guest may have written since.
    private static let mostAbsorbed: UInt64 = 64 << 20

    func survey() throws(StorageError) -> ChainSurvey {
        try holding(shared: true) { () throws(StorageError) in
            var survey = ChainSurvey(nodes: [])
            var disks: [String: Int] = [:]
            for text in try names() {
                guard let name = try? VolumeName(location: text) else { continue }
                do throws(StorageError) {
                    survey.nodes.append(try node(name))
                } catch {
                    survey.isComplete = false
                }
                if !name.isBase { disks[name.uuid, default: 0] += 1 }
            }
            let known = MergeNotes.read(path)
            for index in survey.nodes.indices where known.isFolding(survey.nodes[index].location) {
                survey.nodes[index].volume.isHidden = true
            }
            let merges = known.notes
            survey.merges = merges.map { BegunMerge(child: $0.child, parent: $0.parent, isWhole: $0.isWhole) }
            let parents = Set(survey.nodes.compactMap(\.parent))
            // Marked by others, and nothing stands on it: a disk like any other.
            for index in survey.nodes.indices where survey.isComplete && !survey.nodes[index].isBase {
                let location = survey.nodes[index].location
                if !parents.contains(location), let name = try? VolumeName(location: location), !known.concerns(name) {
                    survey.nodes[index].volume.isHidden = false
                }
            }
            let isLeft = survey.nodes.contains { node in
                node.isBase && !parents.contains(node.location)
                    && !merges.contains { $0.isWhole && $0.child == node.location }
            }
            survey.isUntidy = isLeft || disks.values.contains { $0 > 1 }
            // Which of two images of one disk counts is for tidying to find out.
            if disks.values.contains(where: { $0 > 1 }) { survey.isComplete = false }
            return survey
        }
    }

    private func node(_ name: VolumeName) throws(StorageError) -> ChainNode {
        let info = try info(name)
        let parent = name.format == .raw ? nil : try parent(info)
        return ChainNode(
            volume: Volume(
                uuid: name.uuid, location: name.location, format: name.format, virtualSize: info.virtualSize,
                physicalSize: info.actualSize, isHidden: name.isBase || info.isHidden, parentUUID: parent?.uuid),
            parent: parent?.location, piece: name.format == .qcow2 ? info.clusterSize ?? 1 : 1, isBase: name.isBase)
    }

    func reclaim(_ step: ReclaimStep, _ pace: ReclaimPace) throws(StorageError) -> ReclaimResult {
        let lock = try lockReclaimer()
        defer { Self.unlock(lock) }
        switch step {
        case .tidy: return try tidy()
        case .grow(let parent, let child): return try grow(try pair(child, parent))
        case .merge(let child, let parent): return try merge(try pair(child, parent), pace)
        case .adopt(let child, let from, let to):
            return try adopt(try VolumeName(location: child), try pair(from, to))
        case .end(let child, let parent): return try end(try pair(child, parent))
        case .freeze(let leaf): return try freezeDisk(try VolumeName(location: leaf))
        case .fold(let leaf, let parent): return try fold(try pair(leaf, parent))
        }
    }

    /// One reclaimer at a time, of all toolstacks that have the folder. Ends with the descriptor.
    private func lockReclaimer() throws(StorageError) -> Int32 {
        let file = path + "/" + Self.reclaimerLock
        let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(BlockError(call: "open", errno: errno, path: file), otherwise: .repositoryUnavailable)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StorageError(.deviceInUse, "the space of \(path) is being reclaimed already")
        }
        return descriptor
    }

    // MARK: What a step relies on

    private struct Pair {
        let child: VolumeName
        let parent: VolumeName
    }

    private func pair(_ child: String, _ parent: String) throws(StorageError) -> Pair {
        Pair(child: try VolumeName(location: child), parent: try VolumeName(location: parent))
    }

    /// With the folder held: the child stands on the parent, alone, and the parent is no disk. Returns the parent and its
    /// own parents.
    @discardableResult
    private func check(_ pair: Pair) throws(StorageError) -> [VolumeName] {
        let below = try parents(of: pair.child)
        guard below.first == pair.parent else {
            throw StorageError(.general, "\(pair.child.location) does not stand on \(pair.parent.location)")
        }
        guard try isHidden(pair.parent) else { throw StorageError(.general, "\(pair.parent.location) is a disk") }
        guard let counts = try children() else {
            throw StorageError(.general, "not all images of \(path) can be read: one may stand on another's parent")
        }
        guard counts[pair.parent] == 1 else {
            throw StorageError(.general, "other images stand on \(pair.parent.location)")
        }
        // What a whole merge vouches for must stay as it is until it is over.
        let names = [pair.child.location, pair.parent.location]
        let isVouchedFor = MergeNotes.read(path).notes.contains { note in
            note.isWhole && [note.child, note.parent] != names
                && (names.contains(note.child) || names.contains(note.parent))
        }
        if isVouchedFor { throw StorageError(.general, "a merge of \(pair.parent.location) is not over yet") }
        return below
    }

    private func references(_ names: [VolumeName]) -> [ImageReference] {
        names.map { ImageReference(path: file($0), format: $0.format) }
    }

    // MARK: Steps

    private func tidy() throws(StorageError) -> ReclaimResult {
        try holding { () throws(StorageError) in
            let before = try names()
            try removeLeftovers()
            try dropStaleMerges()
            let after = Set(try names())
            let gone = before.filter { !after.contains($0) }.compactMap { try? VolumeName(location: $0) }
            return ReclaimResult(gone: gone.filter(\.isBase).map(\.uuid))
        }
    }

    /// Notes of images that are gone.
    func dropStaleMerges() throws(StorageError) {
        guard unsafe access(path + "/" + MergeNotes.name, F_OK) == 0 else { return }
        var notes = MergeNotes.read(path)
        notes.notes.removeAll { note in
            guard let child = try? VolumeName(location: note.child) else { return true }
            return !exists(child)
        }
        notes.dropFolding { name in
            guard let parent = try? VolumeName(location: name) else { return true }
            return !exists(parent)
        }
        try notes.store(self)
    }

    private func grow(_ pair: Pair) throws(StorageError) -> ReclaimResult {
        try holding { () throws(StorageError) in
            let below = try check(pair)
            let size = try info(pair.child).virtualSize
            var notes = MergeNotes.read(path)
            notes.dropUnfinished()
            try notes.store(self)
            try reporting(.volumeResize) { () throws(BlockError) in
                try DiskImage.resize(
                    path: file(pair.parent), format: pair.parent.format, to: size,
                    policy: policy(Array(below.dropFirst())))
            }
            return ReclaimResult(changed: [try stat(pair.parent)])
        }
    }

    private func merge(_ pair: Pair, _ pace: ReclaimPace) throws(StorageError) -> ReclaimResult {
        var start: UInt64 = 0
        let below = try holding { () throws(StorageError) -> [VolumeName] in
            let below = try check(pair)
            try requireNoDisk(pair.child)
            var notes = MergeNotes.read(path)
            if let known = notes.note(of: pair.child, into: pair.parent) {
                if known.isWhole { return below }
                start = known.reached
                notes.dropUnfinished(but: known)
            } else {
                notes.dropUnfinished()
                notes.set(.init(child: pair.child.location, parent: pair.parent.location, reached: 0, isWhole: false))
            }
            try requireRoom(for: pair, from: start)
            try notes.store(self)
            return below
        }
        let size = try info(pair.child).virtualSize
        let steps = FolderSteps(self)
        let control = MergeControl(
            cancellation: pace.cancellation, bytesPerSecond: pace.bytesPerSecond,
            exclusively: { (step) throws(BlockError) in try steps.run(step) },
            reached: { (reached) throws(BlockError) in
                try steps.run { () throws(BlockError) in try note(pair, reached) }
                // Guests take space meanwhile, too. At the end nothing more is needed, and some comes back soon.
                if reached < size { try requireReserve() }
            })
        let from = min(start, size)
        try reporting(.general) { () throws(BlockError) in
            try DiskImage.merge(
                ImageReference(path: file(pair.child), format: pair.child.format), into: references(below), from: from,
                control)
        }
        try reporting(.general) { () throws(BlockError) in try ReclaimPoint.reached("merged", in: path) }
        return try holding { () throws(StorageError) in
            // All images may have come and gone meanwhile, but for these two: as long as one stood on the other, alone.
            try check(pair)
            try requireNoDisk(pair.child)
            var notes = MergeNotes.read(path)
            guard notes.note(of: pair.child, into: pair.parent) != nil else {
                throw StorageError(.general, "the merge of \(pair.child.location) is not noted any more")
            }
            notes.set(.init(child: pair.child.location, parent: pair.parent.location, reached: size, isWhole: true))
            try notes.store(self)
            try reporting(.general) { () throws(BlockError) in try ReclaimPoint.reached("whole", in: path) }
            return ReclaimResult(changed: [try stat(pair.parent)])
        }
    }

    /// What a merge from `start` on may add to the parent is free, and the reserve beside it.
    private func requireRoom(for pair: Pair, from start: UInt64) throws(StorageError) {
        let (child, parent) = (try info(pair.child), try info(pair.parent))
        var growth = min(child.actualSize, child.virtualSize - min(start, child.virtualSize))
        // What a raw image has no blocks for.
        if pair.parent.format == .raw {
            growth = min(growth, parent.virtualSize - min(parent.actualSize, parent.virtualSize))
        }
        try room.require(growth, of: try space())
    }

    private func requireReserve() throws(BlockError) {
        do throws(StorageError) {
            try room.require(0, of: try space())
        } catch {
            throw BlockError(error.fault == .noSpace ? .noSpace : .io, error.message, path: path)
        }
    }

    /// No disk of its own: as its name or its mark says, or as it said before it was to become one.
    func isHidden(_ name: VolumeName) throws(StorageError) -> Bool {
        if name.isBase { return true }
        return try info(name).isHidden || MergeNotes.read(path).isFolding(name.location)
    }

    /// What is only marked is a disk as soon as nothing stands on it, and somebody may use it.
    private func requireNoDisk(_ name: VolumeName) throws(StorageError) {
        if name.isBase { return }
        guard try isHidden(name), let counts = try children(), counts[name, default: 0] > 0 else {
            throw StorageError(.general, "\(name.location) is a disk")
        }
    }

    private func note(_ pair: Pair, _ reached: UInt64) throws(BlockError) {
        var notes = MergeNotes.read(path)
        guard var note = notes.note(of: pair.child, into: pair.parent), !note.isWhole else { return }
        note.reached = reached
        notes.set(note)
        do throws(StorageError) { try notes.store(self) } catch { throw BlockError(.io, error.message) }
        try ReclaimPoint.reached("part", in: path)
    }

    private func adopt(_ child: VolumeName, _ merged: Pair) throws(StorageError) -> ReclaimResult {
        try holding { () throws(StorageError) in
            guard let note = MergeNotes.read(path).note(of: merged.child, into: merged.parent), note.isWhole else {
                throw StorageError(.general, "\(merged.child.location) has not been merged")
            }
            guard try parents(of: child).first == merged.child, try parents(of: merged.child).first == merged.parent
            else { throw StorageError(.general, "\(child.location) does not stand on \(merged.child.location)") }
            try reporting(.general) { () throws(BlockError) in
                try DiskImage.rebase(
                    path: file(child), format: child.format,
                    to: ImageReference(path: file(merged.parent), format: merged.parent.format),
                    storedName: merged.parent.location, mode: .unsafe, policy: policy([]))
                try ReclaimPoint.reached("adopted", in: path)
            }
            return ReclaimResult(changed: [try stat(child)])
        }
    }

    private func end(_ merged: Pair) throws(StorageError) -> ReclaimResult {
        try holding { () throws(StorageError) in
            var notes = MergeNotes.read(path)
            guard let note = notes.note(of: merged.child, into: merged.parent), note.isWhole else {
                throw StorageError(.general, "\(merged.child.location) has not been merged")
            }
            if exists(merged.child) {
                guard let counts = try children(), counts[merged.child, default: 0] == 0 else {
                    throw StorageError(.general, "images stand on \(merged.child.location) still")
                }
                guard try removeIfUnused(merged.child) else {
                    throw StorageError(.volumeInUse, "\(merged.child.location) is open; it goes later")
                }
                try reporting(.general) { () throws(BlockError) in try ReclaimPoint.reached("removed", in: path) }
            }
            notes.notes.removeAll { $0 == note }
            try notes.store(self)
            let changed = exists(merged.parent) ? [try stat(merged.parent)] : []
            return ReclaimResult(changed: changed, gone: [merged.child.uuid])
        }
    }

    private func freezeDisk(_ leaf: VolumeName) throws(StorageError) -> ReclaimResult {
        try holding { () throws(StorageError) in
            try requireChildless(leaf, .general)
            // What is frozen is to be merged: without the room for that the chain would only become longer.
            try room.require(try info(leaf).actualSize, of: try space())
            let frozen = try freeze(leaf, .general)
            guard frozen.isNew, let base = frozen.parents.first else {
                throw StorageError(.general, "\(leaf.location) holds nothing of its own")
            }
            return ReclaimResult(changed: [try stat(base), try stat(frozen.disk)])
        }
    }

    private func fold(_ pair: Pair) throws(StorageError) -> ReclaimResult {
        try holding { () throws(StorageError) in
            let below = try check(pair)
            try requireChildless(pair.child, .general)
            if pair.child.isBase { throw StorageError(.general, "\(pair.child.location) is no disk") }
            guard try info(pair.child).actualSize <= Self.mostAbsorbed else {
                throw StorageError(.general, "\(pair.child.location) holds too much for a moment's work")
            }
            var notes = MergeNotes.read(path)
            notes.dropUnfinished()
            let isMarked = !pair.parent.isBase
            if isMarked { notes.setFolding(pair.parent) }
            try notes.store(self)
            let disk = try VolumeName(uuid: pair.child.uuid, format: pair.parent.format)
            try reporting(.general) { () throws(BlockError) in
                let child = ImageReference(path: file(pair.child), format: pair.child.format)
                try DiskImage.absorb(child, into: references(below)) { () throws(BlockError) in
                    if disk == pair.child && !isMarked { try rename(pair.parent, to: disk) }
                }
                if disk == pair.child && isMarked {
                    // The mark goes first: a disk must not vanish from view. What is not marked and stood on stays, too.
                    try DiskImage.setHidden(path: file(pair.parent), false)
                    try rename(pair.parent, to: disk)
                }
                if disk != pair.child { try replace(pair.child, by: pair.parent, named: disk) }
            }
            try dropStaleMerges()
            return ReclaimResult(changed: [try stat(disk)], gone: [pair.parent.uuid])
        }
    }

    private func rename(_ parent: VolumeName, to disk: VolumeName) throws(BlockError) {
        try ReclaimPoint.reached("absorbed", in: path)
        guard unsafe Glibc.rename(file(parent), file(disk)) == 0 else {
            throw BlockError(call: "rename", errno: errno, path: file(disk))
        }
        try sync()
    }

    /// The parent's file becomes the disk's under a name of its own format.
    private func replace(_ child: VolumeName, by parent: VolumeName, named disk: VolumeName) throws(BlockError) {
        guard unsafe link(file(parent), file(disk)) == 0 else {
            throw BlockError(call: "link", errno: errno, path: file(disk))
        }
        try sync()
        try ReclaimPoint.reached("linked", in: path)
        guard unsafe unlink(file(child)) == 0 else { throw BlockError(call: "unlink", errno: errno, path: file(child)) }
        try sync()
        try ReclaimPoint.reached("unlinked", in: path)
        guard unsafe unlink(file(parent)) == 0 else {
            throw BlockError(call: "unlink", errno: errno, path: file(parent))
        }
        try sync()
    }

    private func sync() throws(BlockError) {
        do throws(StorageError) { try syncFolder() } catch { throw BlockError(.io, error.message) }
    }
}

/// Where tests cut a step off, as a crash would: debug builds fail at the point that a test has set for the folder, with no
/// work after it, or kill themselves at the one that `GANTRY_FAILURE_POINT` names (`reclaim-` in front). Release builds have
/// no such thing.
enum ReclaimPoint {
    #if DEBUG
        static let cuts = Mutex<[String: String]>([:])
    #endif

    static func reached(_ name: String, in folder: String) throws(BlockError) {
        #if DEBUG
            if cuts.withLock({ $0[folder] }) == name { throw BlockError(.io, "cut off at \(name)") }
            if ProcessInfo.processInfo.environment["GANTRY_FAILURE_POINT"] == "reclaim-" + name {
                kill(getpid(), SIGKILL)
            }
        #endif
    }
}

/// Short steps of a long merge, each with the repository's folder held: nobody opens images of the SR, or changes which there
/// are, within one.
private final class FolderSteps {
    private let repository: FileRepository

    init(_ repository: FileRepository) { self.repository = repository }

    func run(_ step: () throws(BlockError) -> Void) throws(BlockError) {
        var failure: BlockError?
        do throws(StorageError) {
            try repository.holding { () throws(StorageError) in
                do throws(BlockError) { try step() } catch { failure = error }
            }
        } catch {
            throw BlockError(.io, error.message)
        }
        if let failure { throw failure }
    }
}
