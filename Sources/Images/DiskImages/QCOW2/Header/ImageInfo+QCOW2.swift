internal import BlockIO
internal import CoreTypes

extension QCOW2Image {
    /// The header's content in the form common to all formats.
    static func info(file: ImageFile) throws(BlockError) -> ImageInfo {
        let info: QCOW2Info = try info(file: file)
        var notes: [String] = []
        if info.isDirty { notes.append("not closed cleanly: the refcounts may be stale") }
        if info.isCorrupt { notes.append("marked as corrupt: repair it before writing") }
        if info.isEncrypted { notes.append("encrypted") }
        if info.hasExtendedL2 { notes.append("extended L2 entries") }
        if info.snapshots > 0 { notes.append("\(info.snapshots) internal snapshots") }
        if info.hasExternalData { notes.append("the data is in another file: \(info.dataFile ?? "not named")") }
        if let unknown = info.unknownFeatures { notes.append("features that are not known here: \(unknown)") }
        var result = ImageInfo(
            format: .qcow2, virtualSize: info.virtualSize, actualSize: try file.allocatedSize(),
            fileSize: try file.size(), clusterSize: info.clusterSize, subformat: "version \(info.version)",
            parentName: info.backingFile,
            largestSize: FormatCapabilities.largestQCOW2(
                clusterSize: info.clusterSize, hasExtendedL2: info.hasExtendedL2), notes: notes)
        result.isHidden = info.isHidden
        return result
    }
}
