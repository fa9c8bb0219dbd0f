import BlockIO
import CoreTypes
import DiskImages
import Foundation
import StorageInterface

// One image: described, made, named, removed, grown.
extension FileRepository {
    /// Whether there is something under the name of a volume.
    func holds(_ location: String) -> Bool {
        if let uuid = Self.logUUID(location) { return hasLog(uuid) }
        guard let name = try? VolumeName(location: location) else { return false }
        return unsafe access(path + "/" + name.location, F_OK) == 0
    }

    func stat(_ location: String) throws(StorageError) -> Volume {
        if let uuid = Self.logUUID(location) { return try logVolume(uuid) }
        return try stat(try find(location))
    }

    /// The volume of exactly this name. A mark that hides it counts only while something may stand on it: what others left
    /// marked and alone is shown, so that somebody can look at it and destroy it.
    func stat(_ name: VolumeName) throws(StorageError) -> Volume {
        var volume = try described(name)
        if volume.isHidden, !name.isBase, !MergeNotes.read(path).concerns(name), let counts = try children() {
            volume.isHidden = counts[name, default: 0] > 0
        }
        return volume
    }

    /// What the image says of itself.
    func described(_ name: VolumeName) throws(StorageError) -> Volume {
        let info = try info(name)
        var volume = Volume(
            uuid: name.uuid, location: name.location, format: name.format, virtualSize: info.virtualSize,
            physicalSize: info.actualSize, isHidden: name.isBase || info.isHidden, parentUUID: try parent(info)?.uuid)
        volume.isTracked = !name.isBase && hasLog(name.uuid)
        return volume
    }

    func create(uuid: String, size: UInt64, format: ImageFormat) throws(StorageError) -> Volume {
        let name = try VolumeName(uuid: uuid, format: format)
        let final = path + "/" + name.location
        guard !FileManager.default.fileExists(atPath: final) else {
            throw StorageError(.volumeExists, "\(final) exists already")
        }
        let temporary = path + "/" + Self.unfinished + name.location
        var options = CreateOptions()
        if isThick && format == .raw {
            try requireRoom(size)
            options.preallocation = .falloc
        }
        try reporting(.volumeCreation) { [options] () throws(BlockError) in
            try Self.make(temporary, format, size: size, options, .standalone)
        }
        do throws(StorageError) {
            try publish(temporary, as: final)
            return try stat(name)
        } catch {
            // Under either name it is this call's own: nothing was there.
            unsafe unlink(temporary)
            unsafe unlink(final)
            throw error
        }
    }

    /// Throws SRNoSpace when the SR has less than `size` bytes left: before anything is made.
    private func requireRoom(_ size: UInt64) throws(StorageError) {
        let space = try space()
        guard size <= space.free else {
            throw StorageError(
                .noSpace,
                "There is insufficient space [opterr=\(size) bytes are wanted at once and \(space.free) are free]")
        }
    }

    /// Takes the space of that part of a file; gives back what it took when there is not enough.
    private func reserve(_ file: String, from start: UInt64, to end: UInt64) throws(BlockError) {
        let descriptor = unsafe open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: file) }
        defer { close(descriptor) }
        let failure = posix_fallocate(descriptor, off_t(start), off_t(end - start))
        guard failure == 0 else {
            ftruncate(descriptor, off_t(start))
            throw BlockError(call: "posix_fallocate", errno: failure, path: file)
        }
    }

    /// Gives a finished image its name.
    func publish(_ temporary: String, as final: String) throws(StorageError) {
        FolderPoint.reached("image-made")
        guard unsafe rename(temporary, final) == 0 else {
            let error = BlockError(call: "rename", errno: errno, path: final)
            unsafe unlink(temporary)
            throw StorageError(error, otherwise: .volumeCreation)
        }
        try syncFolder()
        FolderPoint.reached("image-named")
    }

    /// Only with the image's lock: `.volumeInUse` while anybody has it open. An image that is gone is fine. Its log of changed
    /// blocks goes after it, unless that is to stay.
    func remove(_ location: String, keepingLog: Bool = false) throws(StorageError) {
        if let uuid = Self.logUUID(location) { return try removeLog(uuid) }
        let name = try find(location)
        let final = path + "/" + name.location
        try requireChildless(name)
        let below = try? parents(of: name)
        // Before the disk's own: what they show would come back as a disk.
        let further = try furtherNames(of: name, parent: below?.first)
        do throws(BlockError) {
            let file = try ImageFile(path: final, access: .readWrite, followsLinks: false)
            defer { file.close() }
            for other in further where unsafe unlink(path + "/" + other.location) != 0 {
                throw BlockError(call: "unlink", errno: errno, path: path + "/" + other.location)
            }
            if unsafe unlink(final) != 0 { throw BlockError(call: "unlink", errno: errno, path: final) }
        } catch {
            guard error.code == .notFound else { throw StorageError(error, otherwise: .volumeDeletion) }
        }
        try syncFolder()
        FolderPoint.reached("image-gone")
        if !keepingLog, !name.isBase { try removeLog(name.uuid) }
        try endEpoch(name.location)
        try removeUnneeded(below ?? [])
    }

    private func requireGrowth(from present: UInt64, to size: UInt64) throws(StorageError) {
        guard size >= present else {
            throw StorageError(
                .volumeSize, "VDI Invalid size [opterr=shrinking not allowed: \(present) to \(size) bytes]")
        }
    }

    /// Grows the image where it is, whatever it holds, in time that does not depend on it. Only with the image's lock. A
    /// crash leaves one size or the other, and the content either way.
    func growInPlace(_ location: String, to size: UInt64) throws(StorageError) -> Volume {
        let name = try find(location)
        let present = try stat(name)
        try requireGrowth(from: present.virtualSize, to: size)
        if size == present.virtualSize { return present }
        let final = path + "/" + name.location
        if name.format == .raw {
            if isThick { try requireRoom(size - present.virtualSize) }
            try reporting(.volumeResize) { () throws(BlockError) in
                let file = try ImageFile(path: final, access: .readWrite, followsLinks: false)
                defer { file.close() }
                if isThick { try reserve(final, from: present.virtualSize, to: size) }
                try file.truncate(to: size)
                try file.sync()
            }
        } else {
            let parents = try parents(of: name)
            try reporting(.volumeResize) { () throws(BlockError) in
                try DiskImage.resize(path: final, format: name.format, to: size, policy: policy(parents))
            }
        }
        FolderPoint.reached("image-grown")
        try growLog(name.uuid, to: size)
        return try stat(name)
    }
}
