public import BlockIO

extension VHDImage {
    /// Sets or clears Xen's mark of an image that is not to be shown as a disk of its own, in both footers.
    static func setHidden(file: any ImageStorage, _ isHidden: Bool) throws(BlockError) {
        var layout = try VHDLayout(file: file)
        if layout.interruptedGrowth != nil {
            try FixedVHD(file: file, layout: layout).undoGrowth()
            layout = try VHDLayout(file: file)
        }
        if layout.footer.isHidden == isHidden && layout.footersAgree { return }
        let footer = layout.footer.with(isHidden: isHidden)
        guard let header = layout.header else {
            let place = layout.fileLength - UInt64(VHDFooter.size)
            guard layout.contentEnd == place else {
                throw BlockError(.unsupported, "a footer of 511 bytes cannot be changed; copy the image")
            }
            try file.store(footer.bytes, at: place)
            return try file.sync()
        }
        if layout.mustNotWrite {
            throw BlockError(.corrupt, layout.notes.last ?? "the image must not be written")
        }
        let device = try DynamicVHD(file: file, layout: layout, header: header)
        try device.commits.locked { () throws(BlockError) in
            try device.lock.exclusive { () throws(BlockError) in try device.prepare() }
            try device.commit()
            try device.replaceFooter(footer)
        }
    }
}

extension DiskImage {
    /// Sets or clears the mark of a VHD that is not to be shown as a disk of its own (`ImageInfo.isHidden`): Xen's
    /// storage managers keep it on the common parents of disks. Nobody else may have the image open; durable when this
    /// returns.
    public static func setHidden(path: String, _ isHidden: Bool) throws(BlockError) {
        let file = try ImageFile(path: path, access: .readWrite, followsLinks: false)
        defer { file.close() }
        do throws(BlockError) { try VHDImage.setHidden(file: file, isHidden) } catch { throw error.at(path: path) }
    }
}
