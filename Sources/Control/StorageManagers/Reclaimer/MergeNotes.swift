import BlockIO
import CoreTypes
import Foundation
import StorageInterface

/// What a repository's folder tells of merges that were begun. The file appears and changes in one rename, durable when
/// `store` returns; it is read and written with the folder held.
///
/// A note of a merge that is not whole says how far it is, and is true as long as nothing else was written into the merged
/// image: whoever writes into an image drops such notes. One that is whole stays true: neither image changes before the
/// merged one is gone.
struct MergeNotes: Codable, Equatable {
    struct Note: Codable, Equatable {
        var child: String
        var parent: String
        /// All that the child holds below is durable in the parent.
        var reached: UInt64
        var isWhole: Bool
    }

    var notes: [Note] = []
    /// The locations of marked parents that are about to become their child's disk: they count as marked, whatever they say,
    /// for as long as they have that name. Nil where there are none, as in files of before there were such notes.
    private var folding: [String]?

    static let name = ".gantry-sr-merges"
    /// More is no file of ours.
    private static let largest = 1 << 20

    func note(of child: VolumeName, into parent: VolumeName) -> Note? {
        notes.first { $0.child == child.location && $0.parent == parent.location }
    }

    /// Whether the image is about to go, or to become another's disk.
    func concerns(_ name: VolumeName) -> Bool {
        isFolding(name.location) || notes.contains { $0.isWhole && $0.child == name.location }
    }

    func isFolding(_ location: String) -> Bool { folding?.contains(location) ?? false }

    mutating func setFolding(_ parent: VolumeName) {
        if !isFolding(parent.location) { folding = (folding ?? []) + [parent.location] }
    }

    mutating func dropFolding(where isStale: (String) -> Bool) {
        let kept = (folding ?? []).filter { !isStale($0) }
        folding = kept.isEmpty ? nil : kept
    }

    /// Drops what is not true any more once something is written into an image.
    mutating func dropUnfinished(but kept: Note? = nil) { notes.removeAll { !$0.isWhole && $0 != kept } }

    mutating func set(_ note: Note) {
        notes.removeAll { $0.child == note.child }
        notes.append(note)
    }

    /// What the folder says; nothing where there is no such file, or none that can be understood: then merges are done again.
    static func read(_ folder: String) -> MergeNotes {
        let descriptor = unsafe open(folder + "/" + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return MergeNotes() }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var facts = Glibc.stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_size <= largest,
            let data = try? file.read(upToCount: largest)
        else { return MergeNotes() }
        return (try? JSONDecoder().decode(MergeNotes.self, from: data)) ?? MergeNotes()
    }

    func store(_ repository: FileRepository) throws(StorageError) {
        let final = repository.path + "/" + Self.name
        if notes.isEmpty && folding == nil {
            if unsafe unlink(final) != 0 {
                if errno == ENOENT { return }
                throw StorageError(BlockError(call: "unlink", errno: errno, path: final), otherwise: .general)
            }
            return try repository.syncFolder()
        }
        let temporary = repository.path + "/" + FileRepository.unfinished + "merges"
        let bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(self))
        } catch {
            throw StorageError(.general, "the notes of merges cannot be written: \(error)")
        }
        unsafe unlink(temporary)
        try reporting(.general) { () throws(BlockError) in
            let file = try ImageFile(path: temporary, access: .create)
            defer { file.close() }
            do throws(BlockError) {
                try file.write(bytes: bytes, at: 0)
                try file.sync()
                guard unsafe rename(temporary, final) == 0 else {
                    throw BlockError(call: "rename", errno: errno, path: final)
                }
            } catch {
                unsafe unlink(temporary)
                throw error
            }
        }
        try repository.syncFolder()
    }
}
