import BlockIO
import CoreTypes
import DiskImages

/// What `info` tells of an image; the JSON members are named as qemu-img names them.
struct InfoReport: Encodable {
    struct Specific: Encodable {
        let type: String
        let data: [String: Detail]
    }

    enum Detail: Encodable {
        case text(String)
        case number(Int)
        case flag(Bool)
        case bitmaps([BitmapLine])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .flag(let flag): try container.encode(flag)
            case .bitmaps(let bitmaps): try container.encode(bitmaps)
            }
        }

        var text: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            case .flag(let flag): flag ? "yes" : "no"
            case .bitmaps(let bitmaps): bitmaps.map(\.text).joined(separator: ", ")
            }
        }
    }

    let filename: String
    let format: String
    let virtualSize: UInt64
    let actualSize: UInt64
    let fileSize: UInt64
    let clusterSize: UInt64?
    var dirtyFlag = false
    var backingFilename: String?
    var backingFormat: String?
    var specific: Specific?
    private(set) var notes: [String]
    /// The name of a qcow2 image's external data file, empty where the image does not say it; nil without one. It is in `specific`, too.
    private(set) var dataFile: String?

    enum CodingKeys: String, CodingKey {
        case filename, format, notes
        case virtualSize = "virtual-size"
        case actualSize = "actual-size"
        case fileSize = "file-size"
        case clusterSize = "cluster-size"
        case dirtyFlag = "dirty-flag"
        case backingFilename = "backing-filename"
        case backingFormat = "backing-filename-format"
        case specific = "format-specific"
    }

    init(
        path: String, format: DeclaredFormat, vhdSize: OpenPolicy.VHDSize = .creator
    ) throws(BlockError) {
        switch format {
        case .image(let format): try self.init(path: path, format: format, vhdSize: vhdSize)
        case .importOnly(let format): try self.init(path: path, format: format)
        }
    }

    private init(path: String, format: ImportFormat) throws(BlockError) {
        let info = try DiskImage.importInfo(path: path, format: format)
        filename = path
        self.format = format.rawValue
        virtualSize = info.virtualSize
        actualSize = info.actualSize
        fileSize = info.fileSize
        clusterSize = info.clusterSize
        notes = info.notes
        backingFilename = info.parentName
        var data: [String: Detail] = [
            "subformat": .text(info.subformat), "logical-sector-size": .number(Int(clamping: info.logicalSectorSize)),
        ]
        data["creator"] = info.creator.map { .text($0) }
        data["uuid"] = info.identifier.map { .text($0) }
        data["content-id"] = info.contentIdentifier.map { .text($0) }
        data["parent-content-id"] = info.parentContentIdentifier.map { .text($0) }
        if !info.extentNames.isEmpty { data["extents"] = .text(info.extentNames.joined(separator: ", ")) }
        specific = Specific(type: format.rawValue, data: data)
    }

    private init(path: String, format: ImageFormat, vhdSize: OpenPolicy.VHDSize) throws(BlockError) {
        let info = try DiskImage.info(path: path, format: format, vhdSize: vhdSize)
        filename = path
        self.format = format.rawValue
        virtualSize = info.virtualSize
        actualSize = info.actualSize
        fileSize = info.fileSize
        clusterSize = info.clusterSize
        notes = info.notes
        backingFilename = info.parentName
        backingFormat = info.parentFormat?.rawValue
        switch format {
        case .raw: break
        case .vhd:
            var data: [String: Detail] = [:]
            data["subformat"] = info.subformat.map { .text($0) }
            data["creator"] = info.creator.map { .text($0) }
            data["uuid"] = info.identifier.map { .text($0) }
            if info.isHidden { data["hidden"] = .flag(true) }
            specific = Specific(type: format.rawValue, data: data)
        case .qcow2:
            let file = try ImageFile(path: path, access: .readOnly, locking: false)
            defer { file.close() }
            let header = try QCOW2Image.info(file: file)
            dirtyFlag = header.isDirty
            backingFilename = header.backingFile
            backingFormat = header.backingFormat
            var data: [String: Detail] = [
                "compat": .text(header.version == 2 ? "0.10" : "1.1"), "refcount-bits": .number(header.refcountBits),
                "lazy-refcounts": .flag(header.hasLazyRefcounts), "corrupt": .flag(header.isCorrupt),
                "extended-l2": .flag(header.hasExtendedL2), "compression-type": .text(header.compression.rawValue),
                "snapshots": .number(header.snapshots),
            ]
            if header.isHidden { data["hidden"] = .flag(true) }
            if header.isEncrypted { data["encrypted"] = .flag(true) }
            if let bitmaps = try QCOW2Image.bitmapList(file: file) {
                if !bitmaps.isEmpty { data["bitmaps"] = .bitmaps(bitmaps.map { BitmapLine($0) }) }
            } else {
                data["bitmaps-damaged"] = .flag(true)
            }
            if header.hasExternalData {
                dataFile = header.dataFile ?? ""
                data["data-file"] = .text(header.dataFile ?? "")
            }
            specific = Specific(type: format.rawValue, data: data)
        }
    }

    /// What was found when the images of a chain were opened one upon the other, as `DiskImage.notes(of:)` has it: to each what is its own.
    static func distribute(_ notes: [String], to reports: inout [InfoReport]) {
        for note in notes {
            var (own, depth) = (note[...], 0)
            while own.hasPrefix(DiskImage.parentsNote) {
                own = own.dropFirst(DiskImage.parentsNote.count)
                depth += 1
            }
            if depth < reports.count, !reports[depth].notes.contains(String(own)) {
                reports[depth].notes.append(String(own))
            }
        }
    }

    /// For people.
    var text: String {
        var lines = [
            "image:         \(PlainText.of(filename))",
            "format:        \(format)",
            "virtual size:  \(ByteCount(virtualSize)) (\(virtualSize) bytes)",
            "on disk:       \(ByteCount(actualSize)) (file length \(fileSize) bytes)",
        ]
        if let clusterSize { lines.append("cluster size:  \(ByteCount(clusterSize))") }
        if let backingFilename {
            lines.append(
                "parent:        \(PlainText.of(backingFilename)) \(PlainText.of(backingFormat ?? "")) (not opened)")
        }
        if dirtyFlag { lines.append("in use, or not closed properly") }
        if let specific, !specific.data.isEmpty {
            lines.append("of this format:")
            for (key, value) in specific.data.sorted(by: { $0.key < $1.key }) {
                lines.append("    \(key): \(PlainText.of(value.text))")
            }
        }
        lines += notes.map { "note: \(PlainText.of($0))" }
        return lines.joined(separator: "\n")
    }
}
