internal import BlockIO

/// Incompatible feature bits: an implementation that does not know a set bit must not open the image.
struct QCOW2Features: OptionSet, Sendable {
    let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    init(bits: UInt64) { rawValue = bits }

    /// Refcounts may be stale.
    static let dirty = QCOW2Features(rawValue: 1)
    /// A contradiction was found; no writes but repairs.
    static let corrupt = QCOW2Features(rawValue: 2)
    static let externalData = QCOW2Features(rawValue: 4)
    static let compressionType = QCOW2Features(rawValue: 8)
    static let extendedL2 = QCOW2Features(rawValue: 16)
    static let known: QCOW2Features = [.dirty, .corrupt, .externalData, .compressionType, .extendedL2]
}

/// The records between the header and the backing file name (or the end of the first cluster).
struct QCOW2HeaderExtensions: Sendable {
    enum Kind {
        static let end: UInt32 = 0
        static let backingFormat: UInt32 = 0xE279_2ACA
        static let featureNames: UInt32 = 0x6803_F857
        static let bitmaps: UInt32 = 0x2385_2875
        static let dataFile: UInt32 = 0x4441_5441
        /// 8 bytes by which Xen's storage managers mark the common parents of disks.
        static let xenHidden: UInt32 = 0x7661_7465
    }

    struct FeatureName: Sendable {
        /// 0 incompatible, 1 compatible, 2 autoclear.
        var kind: UInt8
        var bit: UInt8
        var name: String
    }

    /// A record that is not known here; kept as it is when the header is rewritten.
    struct Record: Sendable, Equatable {
        var kind: UInt32
        var content: [UInt8]
    }

    var backingFormat: String?
    var dataFile: String?
    var featureNames: [FeatureName] = []
    /// Offset and bytes of the directory of persistent bitmaps.
    var bitmapDirectory: (offset: UInt64, length: UInt64)?
    /// How many bitmaps the directory lists.
    var bitmapCount: UInt32 = 0
    var others: [Record] = []

    init() {}

    /// Parses `bytes[start..<limit]`. Unknown records are skipped.
    init(_ bytes: [UInt8], from start: Int, to limit: Int) throws(BlockError) {
        let data = BigEndianBytes(bytes)
        var position = start
        while limit - position >= 8 {
            let kind = data.u32(position)
            let length = Int(data.u32(position + 4))
            position += 8
            if kind == Kind.end { break }
            guard length <= limit - position else {
                throw BlockError(
                    .invalidImage, "a header extension of \(length) bytes reaches past the first cluster",
                    offset: UInt64(position - 8))
            }
            parse(kind, bytes[position..<position + length], data, position)
            position += (length + 7) & ~7
        }
    }

    private mutating func parse(_ kind: UInt32, _ content: ArraySlice<UInt8>, _ data: BigEndianBytes, _ start: Int) {
        switch kind {
        case Kind.backingFormat: backingFormat = String(decoding: content, as: UTF8.self)
        case Kind.dataFile: dataFile = String(decoding: content, as: UTF8.self)
        case Kind.bitmaps where content.count >= 24:
            bitmapCount = data.u32(start)
            bitmapDirectory = (data.u64(start + 16), data.u64(start + 8))
        case Kind.featureNames:
            var at = content.startIndex
            while content.endIndex - at >= 48 {
                let name = content[at + 2..<at + 48].prefix { $0 != 0 }
                featureNames.append(
                    FeatureName(kind: content[at], bit: content[at + 1], name: String(decoding: name, as: UTF8.self)))
                at += 48
            }
        default: others.append(Record(kind: kind, content: Array(content)))
        }
    }

    /// The records and the end marker. `withNames`: also the table of feature names, which is for people only.
    func encoded(withNames: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ kind: UInt32, _ content: [UInt8]) {
            bytes.appendBigEndian(kind)
            bytes.appendBigEndian(UInt32(content.count))
            bytes += content
            bytes += [UInt8](repeating: 0, count: (8 - content.count % 8) % 8)
        }
        if let backingFormat { add(Kind.backingFormat, Array(backingFormat.utf8)) }
        if let dataFile { add(Kind.dataFile, Array(dataFile.utf8)) }
        if let bitmapDirectory {
            var content: [UInt8] = []
            content.appendBigEndian(bitmapCount)
            content.appendBigEndian(UInt32(0))
            content.appendBigEndian(bitmapDirectory.length)
            content.appendBigEndian(bitmapDirectory.offset)
            add(Kind.bitmaps, content)
        }
        for record in others { add(record.kind, record.content) }
        if withNames, !featureNames.isEmpty {
            var content: [UInt8] = []
            for feature in featureNames {
                let name = Array(feature.name.utf8.prefix(46))
                content += [feature.kind, feature.bit] + name + [UInt8](repeating: 0, count: 46 - name.count)
            }
            add(Kind.featureNames, content)
        }
        add(Kind.end, [])
        return bytes
    }

    /// The image's own names of the incompatible bits in `bits`, "bit N" where it names none.
    func names(ofIncompatible bits: UInt64) -> String {
        var all: [String] = []
        for bit in 0..<UInt8(64) where bits & (1 << UInt64(bit)) != 0 {
            let name = featureNames.first { $0.kind == 0 && $0.bit == bit }?.name
            all.append(name.map { "“\($0)”" } ?? "bit \(bit)")
        }
        return all.joined(separator: ", ")
    }

    /// The feature name table that new images carry.
    static let ownFeatureNames = [
        FeatureName(kind: 0, bit: 0, name: "dirty bit"), FeatureName(kind: 0, bit: 1, name: "corrupt bit"),
        FeatureName(kind: 0, bit: 2, name: "external data file"),
        FeatureName(kind: 0, bit: 3, name: "compression type"),
        FeatureName(kind: 0, bit: 4, name: "extended L2 entries"), FeatureName(kind: 1, bit: 0, name: "lazy refcounts"),
        FeatureName(kind: 2, bit: 0, name: "bitmaps"), FeatureName(kind: 2, bit: 1, name: "raw external data"),
    ]
}
