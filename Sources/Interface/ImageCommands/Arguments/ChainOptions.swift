import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages

/// Which other files an image may pull in. Without any of these, none.
struct ChainOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "An image that FILE builds on: raw, vhd or qcow2, and for a qcow2 image vhdx or vmdk, too; for a vhdx or vmdk image "
                + "one of its own format. Repeat it for further ancestors, the nearest first. What is packed as a whole "
                + "(gzip, xz, zstd) must be unpacked first.",
            valueName: "format:path"))
    var parent: [ParentArgument] = []
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Follow the names of parents that the images hold, to files beneath this folder only.", valueName: "folder")
    )
    var follow: String?
    @Option(name: .long, help: ArgumentHelp("The external data file of a qcow2 image.", valueName: "path"))
    var dataFile: String?
    @Flag(name: .long, help: "Accept a VHD's parent although its identity is not the stored one.")
    var ignoreIdentity = false
    @Flag(name: .long, help: "Open a VHD that was disabled on purpose (v_poison), for recovery.")
    var openDisabled = false
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Which size in the footer VHDs have: creator (what their creators show), field (the size field) or geometry.",
            valueName: "which"))
    var vhdSize = OpenPolicy.VHDSize.creator

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "A file that a VMDK descriptor (FILE, or an ancestor) may use as an extent. May be repeated. With --follow, those "
                + "beside the descriptor may be used.", valueName: "path"))
    var extent: [String] = []

    func validate() throws {
        if follow != nil, !parent.isEmpty { throw ValidationError("give either --parent or --follow") }
    }

    /// The policy for an image that can be written.
    func policy() throws(BlockError) -> OpenPolicy {
        var policy = OpenPolicy(dataFile: dataFile)
        if !parent.isEmpty {
            var ancestors: [ImageReference] = []
            var imported: [ImportReference] = []
            for one in parent {
                switch (one.format, imported.first) {
                case (.image(let format), nil): ancestors.append(ImageReference(path: one.path, format: format))
                case (.importOnly(let format), let first) where first == nil || first?.format == format:
                    imported.append(ImportReference(path: one.path, format: format))
                default:
                    throw BlockError(
                        .unsupported,
                        "a \(one.format.name) image is no ancestor of a \(imported.first?.format.rawValue ?? "") image, which "
                            + "builds on its own format only", path: one.path)
                }
            }
            policy.parents = .given(ancestors)
            policy.foundation = imported.first
            if imported.count > 1 { policy.imports.parents = .given(imported.dropFirst().map(\.path)) }
        }
        if !extent.isEmpty { policy.imports.extents = .given(extent) }
        if let follow { policy.parents = .within(folder: follow) }
        policy.ignoresParentIdentity = ignoreIdentity
        policy.opensDisabled = openDisabled
        policy.vhdSize = vhdSize
        return policy
    }

    /// Finds what the parent of a new image builds on: by the names that images hold only, as `--parent` is about SRC. So is
    /// `--extent` where SRC has a descriptor, too, but for files beside the parent.
    func policyOfNewImage(on parent: String?, besides source: DeclaredFormat) -> OpenPolicy {
        var policy = OpenPolicy()
        if parent != nil { policy.vhdSize = vhdSize }
        if let follow { policy.parents = .within(folder: follow) }
        var extents = extent
        if source.isVMDK || self.parent.contains(where: \.format.isVMDK) {
            let folder = parent.flatMap { RealPath.of(RealPath.folder(of: RealPath.of($0) ?? $0)) }
            extents.removeAll { folder == nil || RealPath.of(RealPath.folder(of: $0)) != folder }
        }
        if !extents.isEmpty { policy.imports.extents = .given(extents) }
        return policy
    }

    /// One rule is for all VHDs of a chain, and a new one on a parent says its size in the size field.
    func refuseGeometry(of format: ImageFormat, _ what: String) throws(CommandFailure) {
        if vhdSize != .geometry || format != .vhd { return }
        throw CommandFailure(
            what, why: "the size of the new VHD is in its size field, and that of its parent cannot be in the geometry",
            advice: "leaving --vhd-size out, or another format", status: CommandFailure.Status.usage)
    }

    /// For an image that is there and is written to; it is no part of SRC's chain, and stands alone.
    var policyOfExisting: OpenPolicy {
        var policy = OpenPolicy.standalone
        policy.vhdSize = vhdSize
        return policy
    }

    /// All files that are named here.
    var files: [String] { parent.map(\.path) + extent + (dataFile.map { [$0] } ?? []) }

    /// Opens an image for reading, and tells what a person should know of it.
    /// - Parameter salvages: as `OpenPolicy.salvages`.
    func open(
        _ path: String, _ format: DeclaredFormat, snapshot: SnapshotSelector? = nil, salvages: Bool = false
    ) throws(BlockError) -> any BlockDevice {
        let device = try opened(path, format, snapshot, salvages)
        DeviceNotes.tell(device, path)
        return device
    }

    private func opened(
        _ path: String, _ format: DeclaredFormat, _ snapshot: SnapshotSelector?, _ salvages: Bool
    ) throws(BlockError) -> any BlockDevice {
        switch format {
        case .image(let format):
            var policy = try policy()
            policy.salvages = salvages
            if let snapshot {
                return try DiskImage.open(path: path, format: format, policy: policy, snapshot: snapshot)
            }
            return try DiskImage.open(path: path, format: format, readOnly: true, policy: policy)
        case .importOnly(let format):
            if snapshot != nil {
                throw BlockError(.unsupported, "\(format.rawValue) images hold no snapshots", path: path)
            }
            return try DiskImage.openImport(path: path, format: format, policy: importPolicy(for: path, format))
        }
    }

    /// The image and its ancestors, the image first, and what a person should know of them, as `DiskImage.notes(of:)`.
    func lineage(
        _ path: String, _ format: DeclaredFormat
    ) throws(BlockError) -> (images: [ParentReference], notes: [String]) {
        switch format {
        case .image(let format):
            let found = try DiskImage.lineage(path: path, format: format, policy: policy())
            return (found.all, found.notes)
        case .importOnly(let format):
            let found = try DiskImage.importLineage(path: path, format: format, policy: importPolicy(for: path, format))
            return (found.images.map { .imported($0) }, found.notes)
        }
    }

    /// Opens the parent of an image that is read from a stream: the first of `--parent`, on the others. Nil without.
    func openParentOfStream() throws(BlockError) -> StreamReadOptions.Parent? {
        var policy = try self.policy()
        guard case .given(var ancestors) = policy.parents else { return nil }
        let nearest: ParentReference
        if !ancestors.isEmpty {
            nearest = .image(ancestors.removeFirst())
            policy.parents = .given(ancestors)
        } else if let foundation = policy.foundation {
            nearest = .imported(foundation)
        } else {
            return nil
        }
        let device = try DiskImage.open(nearest, policy: policy)
        // Where another parent than the recorded one will do, nothing is compared.
        if ignoreIdentity { return StreamReadOptions.Parent(device: device) }
        do throws(BlockError) {
            let identifier =
                nearest.format == .image(.vhd)
                ? try DiskImage.info(path: nearest.path, format: .vhd).identifier : nil
            return StreamReadOptions.Parent(device: device, identifier: identifier, format: nearest.format)
        } catch {
            try? device.close()
            throw error
        }
    }

    /// Finds what an image in a stream builds on, where it is kept as it comes: names in it lead nowhere.
    func policyOfStream() throws(BlockError) -> OpenPolicy {
        var policy = try self.policy()
        if case .within = policy.parents { policy.parents = .refused }
        return policy
    }

    /// What an image of a format that is only read may use, in a stream: its parents, and their extents.
    func importsOfStream(_ format: DeclaredFormat) throws(BlockError) -> ImportPolicy {
        guard case .importOnly(let format) = format else { return .standalone }
        try checkParents(of: format)
        return ImportPolicy(
            parents: parent.isEmpty ? .refused : .given(parent.map(\.path)),
            extents: extent.isEmpty ? .refused : .given(extent))
    }

    /// An image that is only read builds on its own format.
    private func checkParents(of format: ImportFormat) throws(BlockError) {
        for one in parent {
            if case .importOnly(format) = one.format { continue }
            throw BlockError(
                .unsupported,
                "a \(one.format.name) image is no parent of a \(format.rawValue) image, which builds on its own format only",
                path: one.path)
        }
    }

    /// What of these has no meaning for a stream; nil when nothing is given that has none.
    /// - Parameter isOnParent: the new image gets a parent, whose own ancestors and extents some of these are for.
    func unfitForStream(isOnParent: Bool) -> String? {
        if follow != nil, !isOnParent {
            return "--follow needs SRC to be a file: names in a stream lead nowhere. Name its parents with --parent"
        }
        if dataFile != nil {
            return "--data-file needs SRC to be a file: the data of such an image are not in the stream"
        }
        if !extent.isEmpty, !isOnParent, !parent.contains(where: \.format.isVMDK) {
            return "--extent is for a VMDK that --parent names: one of several files is no stream"
        }
        if openDisabled { return "--open-disabled needs SRC to be a file" }
        if vhdSize != .creator { return "--vhd-size needs SRC to be a file" }
        return nil
    }

    private func importPolicy(for path: String, _ format: ImportFormat) throws(BlockError) -> ImportPolicy {
        try checkParents(of: format)
        var policy = ImportPolicy()
        if !parent.isEmpty { policy.parents = .given(parent.map(\.path)) }
        if !extent.isEmpty { policy.extents = .given(extent) }
        if let follow {
            policy.parents = .within(folder: follow)
            if extent.isEmpty, RealPath.isBeneath(path, folder: follow) { policy.extents = .besideDescriptor }
        }
        return policy
    }
}

/// `FORMAT:PATH`.
struct ParentArgument: ExpressibleByArgument, Sendable {
    let format: DeclaredFormat
    let path: String

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let format = DeclaredFormat(argument: String(parts[0])) else { return nil }
        self.format = format
        path = String(parts[1])
    }
}
