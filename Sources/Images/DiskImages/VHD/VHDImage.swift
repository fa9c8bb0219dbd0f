import BlockIO
import CoreTypes

/// An open VHD of any kind.
protocol VHDDevice: BlockDevice {
    /// As it was when the image was opened.
    var layout: VHDLayout { get }
    /// What a person should know.
    var notes: [String] { get }
}

/// VHD images: opening, making and describing them. The devices are `FixedVHD` and `DynamicVHD`.
enum VHDImage {
    static func open(
        file: any ImageStorage, readOnly: Bool, chain: ChainContext = ChainContext(policy: .standalone)
    ) throws(BlockError) -> any BlockDevice {
        let layout = try VHDLayout(
            file: file, opensDisabled: chain.policy.opensDisabled, size: chain.policy.vhdSize)
        if layout.mustNotWrite && !readOnly {
            throw BlockError(
                .corrupt, "\(layout.notes.last ?? "the size is wrong"): it can be opened read-only only")
        }
        guard let header = layout.header else {
            let device = FixedVHD(file: file, layout: layout)
            if !readOnly { try device.undoGrowth() }
            return device
        }
        let salvages = chain.policy.salvages && readOnly
        guard layout.footer.kind == .differencing else {
            return try DynamicVHD(file: file, layout: layout, header: header, salvages: salvages)
        }
        let names = try VHDParentNames(file: file, header: header, fileLength: layout.fileLength)
        let claim = ParentClaim(
            of: .vhd, names: names.names, format: header.parentIdentifier == nil ? nil : .image(.vhd),
            identifier: header.parentIdentifier.map { VHDFooter.text(ofUUID: $0) })
        guard let found = try chain.openParent(claim, of: file.path) else {
            return try DynamicVHD(file: file, layout: layout, header: header, notes: names.notes, salvages: salvages)
        }
        do throws(BlockError) {
            let notes = try judge(found, header: header, policy: chain.policy)
            return try DynamicVHD(
                file: file, layout: layout, header: header, parent: found.device, notes: names.notes + notes,
                salvages: salvages)
        } catch {
            try? found.device.close()
            throw error
        }
    }

    /// Whether an opened parent is the one that a child records: `.corrupt` unless it is or `policy` does not mind.
    /// Returns what a person should know.
    private static func judge(
        _ parent: OpenedParent, header: VHDHeader, policy: OpenPolicy
    ) throws(BlockError) -> [String] {
        var problem: String?
        if let wanted = header.parentIdentifier {
            let found = (parent.device as? any VHDDevice)?.layout.footer.identifier ?? "none"
            let text = VHDFooter.text(ofUUID: wanted)
            if found != text { problem = "the parent has the identifier \(found), and the image wants \(text)" }
        } else if parent.format == .image(.vhd) {
            problem = "the image records a parent without an identifier, raw or qcow2, and a VHD was given"
        }
        if let problem {
            guard policy.ignoresParentIdentity else {
                throw BlockError(.corrupt, "\(problem); the content would be wrong", path: parent.path)
            }
            return [problem]
        }
        let recorded = header.parentTimestamp
        guard recorded != 0, let changed = VHDParent.timestamp(ofFileAt: parent.path), changed != recorded
        else { return [] }
        return ["the parent's file was changed or copied after the image was made"]
    }

    static func info(
        file: any ImageStorage, size: OpenPolicy.VHDSize = .creator
    ) throws(BlockError) -> ImageInfo {
        let layout = try VHDLayout(file: file, opensDisabled: true, size: size)
        var notes = layout.notes
        var parents: [String] = []
        var parentFormat: ImageFormat?
        var subformat = "fixed"
        if let header = layout.header {
            subformat = "dynamic"
            if layout.footer.kind == .differencing {
                subformat = "differencing"
                let names = try VHDParentNames(file: file, header: header, fileLength: layout.fileLength)
                notes += names.notes
                parents = names.names
                parentFormat = header.parentIdentifier == nil ? nil : .vhd
            }
        }
        var info = ImageInfo(
            format: .vhd, virtualSize: layout.virtualSize, actualSize: try file.allocatedSize(),
            fileSize: layout.fileLength, clusterSize: layout.header?.blockSize, subformat: subformat,
            creator: layout.footer.creatorName, identifier: layout.footer.identifier, parentName: parents.first,
            parentFormat: parentFormat, notes: notes)
        if let header = layout.header { info.largestSize = largestSize(blockSize: header.blockSize) }
        info.isHidden = layout.footer.isHidden
        return info
    }
}
