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
        try openImport(file: ImageFile(path: path, access: .readOnly), format: format, policy: policy)
    }

    /// Opens an image in a file that is open already and is closed with the device, or when this throws.
    public static func openImport(
        file: ImageFile, format: ImportFormat, policy: ImportPolicy = .standalone
    ) throws(BlockError) -> any BlockDevice {
        let context = ImportContext(policy: policy)
        do throws(BlockError) {
            switch format {
            case .vhdx: return try VHDXImage.open(storage: file, context: context)
            case .vmdk: return try VMDKImage.open(storage: file, context: context)
            }
        } catch {
            file.close()
            throw error.at(path: file.path)
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
