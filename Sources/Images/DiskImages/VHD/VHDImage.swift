import BlockIO
import CoreTypes

/// VHD images: opening, making and describing them. The devices are `FixedVHD` and `DynamicVHD`.
enum VHDImage {
    static func open(file: ImageFile, readOnly: Bool) throws(BlockError) -> any BlockDevice {
        throw BlockError(.unsupported, "VHD")
    }

    /// Writes the metadata of an empty image of `size` bytes (a multiple of 512) into an empty file.
    static func create(
        file: ImageFile, size: UInt64, subformat: CreateOptions.VHDSubformat
    ) throws(BlockError) {
        throw BlockError(.unsupported, "VHD")
    }

    static func info(file: ImageFile) throws(BlockError) -> ImageInfo {
        throw BlockError(.unsupported, "VHD")
    }
}
