import BlockIO

/// VMDK images: opening and describing them.
enum VMDKImage {
    static func open(storage: any ImageStorage, context: ImportContext) throws(BlockError) -> any BlockDevice {
        throw BlockError(.unsupported, "VMDK images cannot be opened yet")
    }

    static func info(storage: any ImageStorage) throws(BlockError) -> ImportInfo {
        throw BlockError(.unsupported, "VMDK images cannot be opened yet")
    }
}
