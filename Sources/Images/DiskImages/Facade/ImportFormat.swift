public import BlockIO

/// Formats that images are imported from: they can be read and not written.
public enum ImportFormat: String, CaseIterable, Sendable {
    case vhdx
    case vmdk
}

extension DiskImage {
    /// Opens an image of a format that can only be read. Nothing is written to any file; a log that must be applied is
    /// applied in memory. Errors as for `open`: `.denied` when the image needs a file that `policy` does not allow.
    public static func openImport(
        path: String, format: ImportFormat, policy: ImportPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        try openImport(
            file: ImageFile(path: path, access: .readOnly, followsLinks: policy.followsLinks), format: format,
            policy: policy)
    }

    /// Opens an image in a file that is open already and is closed with the device, or when this throws.
    public static func openImport(
        file: ImageFile, format: ImportFormat, policy: ImportPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        do throws(BlockError) {
            return try openImport(file: file, format: format, context: ImportContext(policy: policy))
        } catch {
            file.close()
            throw error.at(path: file.path)
        }
    }

    /// Does not close `file` when it throws.
    static func openImport(
        file: ImageFile, format: ImportFormat, context: ImportContext
    ) throws(BlockError) -> any BlockDevice {
        switch format {
        case .vhdx: try VHDXImage.open(storage: file, context: context)
        case .vmdk: try VMDKImage.open(storage: file, context: context)
        }
    }

    /// An image of a format that can only be read and its ancestors, the image first, as `policy` finds them, and what a person should
    /// know of them. Errors as for `openImport`.
    public static func importLineage(
        path: String, format: ImportFormat, policy: ImportPolicy
    ) throws(BlockError) -> (images: [ImportReference], notes: [String]) {
        let file = try ImageFile(path: path, access: .readOnly, locking: false, followsLinks: policy.followsLinks)
        let context = ImportContext(policy: policy)
        do throws(BlockError) {
            let device = try openImport(file: file, format: format, context: context)
            let notes = Self.notes(of: device)
            try device.close()
            return (([path] + context.parents).map { ImportReference(path: $0, format: format) }, notes)
        } catch {
            file.close()
            throw error.at(path: path)
        }
    }

    /// Opens an image of any format for reading; `policy` finds what it builds on.
    public static func open(
        _ reference: ParentReference, policy: OpenPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        switch reference {
        case .image(let image): try open(path: image.path, format: image.format, readOnly: true, policy: policy)
        case .imported(let image):
            try openImport(path: image.path, format: image.format, policy: policy.imports(at: image.path))
        }
    }

    /// Bytes of the disk in an image of any format, as its header has them.
    public static func virtualSize(
        of reference: ParentReference, vhdSize: OpenPolicy.VHDSize = .creator
    ) throws(BlockError) -> UInt64 {
        switch reference {
        case .image(let image): try info(path: image.path, format: image.format, vhdSize: vhdSize).virtualSize
        case .imported(let image): try importInfo(path: image.path, format: image.format).virtualSize
        }
    }

    /// What the image's headers say. Opens no other file, takes no lock, and reads no tables but a log.
    public static func importInfo(path: String, format: ImportFormat) throws(BlockError) -> ImportInfo {
        let file = try ImageFile(path: path, access: .readOnly, locking: false)
        defer { file.close() }
        do throws(BlockError) {
            switch format {
            case .vhdx: return try VHDXImage.info(storage: file)
            case .vmdk: return try VMDKImage.info(storage: file)
            }
        } catch { throw error.at(path: path) }
    }
}
