public import BlockIO
public import CoreTypes
import Glibc

/// The entry to images of every format. The format is always declared by the caller, who has it from trusted metadata:
/// a guest can write any header into a raw disk, so nothing here guesses; `probe` is for new files from outside only.
public enum DiskImage {
    /// Opens an image of the declared format and locks it: exclusively unless `readOnly`. `.invalidImage` when it is
    /// not of that format, `.corrupt` when it contradicts itself, `.unsupported` when it needs what is not built or
    /// what `policy` excludes, `.busy` when it is in use.
    public static func open(
        path: String, format: ImageFormat, readOnly: Bool, policy: OpenPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        try open(
            file: ImageFile(
                path: path, access: readOnly ? .readOnly : .readWrite, followsLinks: policy.followsLinks),
            format: format, policy: policy)
    }

    /// Opens an image in a file that is open already, read-only when the file is.
    public static func open(
        file: ImageFile, format: ImageFormat, policy: OpenPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        do {
            return try open(file: file, format: format, context: ChainContext(policy: policy))
        } catch {
            file.close()
            throw error.at(path: file.path)
        }
    }

    /// Opens an image as a part of the chain of `context`. Does not close `file` when it throws.
    static func open(
        file: ImageFile, format: ImageFormat, context: ChainContext
    ) throws(BlockError) -> any BlockDevice {
        do throws(BlockError) {
            try context.enter(file)
            let device: any BlockDevice =
                switch format {
                case .raw: try RawImage.open(file: file, policy: context.policy)
                case .vhd: try VHDImage.open(file: file, readOnly: file.isReadOnly, chain: context)
                case .qcow2: try QCOW2Image.open(storage: file, readOnly: file.isReadOnly, chain: context)
                }
            guard device.size <= context.policy.largestVirtualSize else {
                throw BlockError(
                    .limitExceeded,
                    "the image claims \(device.size) bytes; \(context.policy.largestVirtualSize) are allowed here")
            }
            return device
        } catch {
            throw error.at(path: file.path)
        }
    }

    /// Makes a new image of at least `size` bytes (rounded up to whole sectors) and opens it for writing. `.exists`
    /// when there is something at the path, `.limitExceeded` when the format cannot hold the size; no file is left
    /// behind by a failure.
    ///
    /// With a parent in the options, `policy` finds the image's ancestors; the default follows the parent's name, and
    /// needs no more when the parent has no parent itself.
    ///
    /// What is made is durable, unless `isUnpublished`: then the image syncs nothing at any time, `flush` and `close`
    /// included. That is for a file that gets its name when it is complete, and is removed when it never is: the caller
    /// opens it once more before writing, closes the image, and syncs it by that second descriptor. An external data file
    /// is synced as always; `dataFile` is where to make it when that is not yet where the options say.
    public static func create(
        path: String, format: ImageFormat, size: UInt64, options: CreateOptions = CreateOptions(),
        policy: OpenPolicy = .standalone, isUnpublished: Bool = false, dataFile place: String? = nil
    ) throws(BlockError) -> any BlockDevice {
        let rounded = try checkedSize(size, format: format, options: options, path: path)
        try checkNewName(path)
        let file = try ImageFile(path: path, access: .create, isUnpublished: isUnpublished)
        var dataFile: String?
        do {
            var ancestors = ancestry(options, policy, path)
            dataFile = try makeDataFile(format, options, size: rounded, at: place ?? options.dataFile(beside: path))
            ancestors.dataFile = dataFile
            try fill(file, format: format, size: rounded, options: options, policy: ancestors)
            try file.syncFolder()
            return try open(file: file, format: format, policy: ancestors)
        } catch {
            // SAFETY: Swift's own temporary C string. The file is this call's own: it was made exclusively.
            _ = unsafe unlink(path)
            if let dataFile { _ = unsafe unlink(dataFile) }
            file.close()
            throw error.at(path: path)
        }
    }

    /// `.denied` for a path of a new image that other programs would not take for a path.
    public static func checkNewName(_ path: String) throws(BlockError) {
        if path.prefix(while: { $0 != "/" }).contains(":") {
            throw BlockError(.denied, "QEMU would read the name as a protocol; put ./ before it", path: path)
        }
    }

    /// Like `create`, in a file that exists and is empty (`.exists` otherwise), such as one without a name; a qcow2 image
    /// or a VHD also on a block device, whose content is lost.
    public static func format(
        path: String, format: ImageFormat, size: UInt64, options: CreateOptions = CreateOptions(),
        policy: OpenPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        let rounded = try checkedSize(size, format: format, options: options, path: path)
        let file = try ImageFile(path: path, access: .readWrite)
        var dataFile: String?
        do throws(BlockError) {
            let isEmpty = try file.size() == 0
            guard isEmpty || (file.isBlockDevice && format != .raw) else {
                throw BlockError(.exists, "the file is not empty")
            }
            var ancestors = ancestry(options, policy, path)
            dataFile = try makeDataFile(format, options, size: rounded, at: options.dataFile(beside: path))
            ancestors.dataFile = dataFile
            try fill(file, format: format, size: rounded, options: options, policy: ancestors)
            return try open(file: file, format: format, policy: ancestors)
        } catch {
            // SAFETY: as in `create`.
            if let dataFile { _ = unsafe unlink(dataFile) }
            file.close()
            throw error.at(path: path)
        }
    }

    /// Makes the external data file that the options ask for, which must not exist, and returns its path. Nil without one.
    private static func makeDataFile(
        _ format: ImageFormat, _ options: CreateOptions, size: UInt64, at place: String?
    ) throws(BlockError) -> String? {
        guard format == .qcow2, options.dataFile != nil, let dataFile = place else { return nil }
        try options.checkQCOW2()
        let file = try ImageFile(path: dataFile, access: .create)
        defer { file.close() }
        do throws(BlockError) {
            let space = options.preallocation == .metadata ? .off : options.preallocation
            try RawImage.create(file: file, size: size, preallocation: space)
            try file.sync()
            return dataFile
        } catch {
            // SAFETY: as in `create`.
            _ = unsafe unlink(dataFile)
            throw error.at(path: dataFile)
        }
    }

    /// The policy that opens a new image: unless the caller has a better one, its parent is what the options name.
    private static func ancestry(_ options: CreateOptions, _ policy: OpenPolicy, _ path: String) -> OpenPolicy {
        var policy = policy
        policy.follow(options.parent, of: path)
        return policy
    }

    private static func fill(
        _ file: ImageFile, format: ImageFormat, size: UInt64, options: CreateOptions, policy: OpenPolicy
    ) throws(BlockError) {
        switch format {
        case .raw: try RawImage.create(file: file, size: size, preallocation: options.preallocation)
        case .vhd:
            var parent: VHDParent?
            if let named = options.parent {
                var reference = named.reference(from: file.path)
                if case .given(let ancestors) = policy.parents, let first = ancestors.first {
                    reference = .image(first)
                }
                parent = try VHDParent(reference, name: named.name)
            }
            try VHDImage.create(file: file, size: size, options: options, parent: parent)
        case .qcow2: try QCOW2Image.create(storage: file, size: size, options: options)
        }
        try file.sync()
    }

    /// `size` in whole sectors; `.limitExceeded` with the limit when the format cannot hold it, `.unsupported` when it cannot
    /// have the parent that is asked for.
    private static func checkedSize(
        _ size: UInt64, format: ImageFormat, options: CreateOptions, path: String
    ) throws(BlockError) -> UInt64 {
        if let parent = options.parent {
            do throws(BlockError) {
                try FormatCapabilities.check(parent.format, of: format)
            } catch { throw error.at(path: path) }
        }
        let limit =
            format == .qcow2
            ? FormatCapabilities.largestQCOW2(
                clusterSize: 1 << (try options.clusterBits()), hasExtendedL2: options.extendedL2)
            : FormatCapabilities.of(format).maximumSize
        guard let rounded = size.roundedUp(to: 512), rounded <= limit else {
            throw FormatCapabilities.tooLarge(size, format, limit: limit).at(path: path)
        }
        return rounded
    }

    /// What the image's header says. Reads no tables, opens no other file, takes no lock: an image in use can be asked.
    /// - Parameter vhdSize: which size a VHD has, as in `OpenPolicy`.
    public static func info(
        path: String, format: ImageFormat, followsLinks: Bool = true, vhdSize: OpenPolicy.VHDSize = .creator
    ) throws(BlockError) -> ImageInfo {
        let file = try ImageFile(path: path, access: .readOnly, locking: false, followsLinks: followsLinks)
        defer { file.close() }
        do {
            switch format {
            case .raw: return try RawImage.info(file: file)
            case .vhd: return try VHDImage.info(file: file, size: vhdSize)
            case .qcow2: return try QCOW2Image.info(file: file)
            }
        } catch {
            throw error.at(path: path)
        }
    }

    /// In front of what `notes` has of a parent, and twice of that one's parent.
    public static let parentsNote = "its parent: "

    /// What a person should know of an open image and of its ancestors, and is no error; texts.
    public static func notes(of device: any BlockDevice) -> [String] {
        let (own, parent): ([String], (any BlockDevice)?)
        switch device {
        case let image as any VHDDevice: (own, parent) = (image.notes, (image as? DynamicVHD)?.parent)
        case let image as any ImportedDevice: (own, parent) = (image.notes, image.parent)
        case let image as QCOW2Image: (own, parent) = ([], image.parent)
        default: return []
        }
        return own + (parent.map { notes(of: $0).map { parentsNote + $0 } } ?? [])
    }

    /// What a new file from an untrusted source looks like. Never for a disk that a guest can write.
    public static func probe(path: String) throws(BlockError) -> ProbeResult {
        let file = try ImageFile(path: path, access: .readOnly, locking: false)
        defer { file.close() }
        return try ProbeResult(probing: file)
    }
}
