import BlockIO

/// The text that says what a VMDK disk is made of: a small file of its own, or embedded in a sparse extent.
struct VMDKDescriptor: Hashable, Sendable {
    struct Extent: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case sparse
            /// Also `VMFS`: the bytes as they are.
            case flat
            /// No file; zeroes.
            case zero
        }

        var kind: Kind
        var sectors: UInt64
        /// Empty for `zero`.
        var name: String
        /// Sector of the file at which a flat extent begins.
        var start: UInt64
    }

    static let mark = "# disk descriptorfile"
    static let largest = 1 << 20
    /// Sum of the extents' sectors: what a device can have.
    private static let mostSectors = UInt64(Int64.max) / 512

    private(set) var createType = ""
    private(set) var contentID: UInt32 = 0
    /// The parent's content; nil without a parent.
    private(set) var parentContentID: UInt32?
    private(set) var parentHint: String?
    private(set) var extents: [Extent] = []
    private(set) var sectors: UInt64 = 0
    private var encoding = ""

    var size: UInt64 { sectors * 512 }

    /// Whether the bytes begin as a descriptor does.
    static func isMarked(_ bytes: [UInt8]) -> Bool {
        bytes.prefix(mark.utf8.count).map { (65...90).contains($0) ? $0 + 32 : $0 }.elementsEqual(mark.utf8)
    }

    init(_ bytes: [UInt8]) throws(BlockError) {
        guard Self.isMarked(bytes) else {
            throw BlockError(
                .invalidImage, "not a VMDK: neither KDMV nor “# Disk DescriptorFile” stands at its beginning")
        }
        let lines = bytes.prefix { $0 != 0 }.split { $0 == 10 || $0 == 13 }.map(Self.trimmed).filter {
            !$0.isEmpty && $0.first != 35
        }
        var fields: [String: [UInt8]] = [:]
        for line in lines where !Self.isExtent(line) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
                throw BlockError(.invalidImage, "the VMDK descriptor has a line that is neither a key nor an extent")
            }
            let key = String(decoding: Self.trimmed(line[..<equals]), as: UTF8.self).lowercased()
            let value = Array(Self.unquoted(Self.trimmed(line[(equals + 1)...])))
            if key.hasPrefix("ddb.") { continue }
            guard fields[key] == nil || fields[key] == value else {
                throw BlockError(.invalidImage, "the VMDK descriptor says twice, and differently, what “\(key)” is")
            }
            fields[key] = value
        }
        func text(_ key: String) -> String { fields[key].map { String(decoding: $0, as: UTF8.self) } ?? "" }
        encoding = text("encoding")
        createType = text("createtype")
        if !text("version").isEmpty, !["1", "2", "3", "4"].contains(text("version")) {
            throw BlockError(.unsupported, "VMDK descriptors of version \(text("version")) are not known")
        }
        contentID = try Self.identifier(text("cid"), "CID") ?? 0
        let parent = try Self.identifier(text("parentcid"), "parentCID") ?? .max
        parentContentID = parent == .max ? nil : parent
        parentHint = fields["parentfilenamehint"].flatMap { VMDKText.decode($0, encoding: encoding) }
        try refuseDevices()
        for line in lines where Self.isExtent(line) { try addExtent(line) }
        guard !extents.isEmpty else { throw BlockError(.invalidImage, "the VMDK descriptor names no extent") }
    }

    private func refuseDevices() throws(BlockError) {
        switch createType.lowercased() {
        case "fulldevice", "partitioneddevice", "vmfsraw", "vmfsrdm", "vmfsrdmp", "vmfsrawdevicemap",
            "vmfspassthroughrawdevicemap":
            throw BlockError(
                .denied, "the VMDK stands for a device of the host it was made on (\(createType)), not for an image")
        default: break
        }
    }

    private static func identifier(_ text: String, _ what: String) throws(BlockError) -> UInt32? {
        if text.isEmpty { return nil }
        guard let value = UInt32(text, radix: 16) else {
            throw BlockError(.invalidImage, "the VMDK descriptor's \(what) is not a hexadecimal number of 32 bits")
        }
        return value
    }

    // MARK: Extents: access, sectors, kind, "file", first sector.

    private static func isExtent(_ line: ArraySlice<UInt8>) -> Bool {
        ["rw", "rdonly", "noaccess"].contains(word(line).lowercased())
    }

    private static func word(_ line: ArraySlice<UInt8>) -> String {
        String(decoding: line.prefix { $0 != 32 && $0 != 9 }, as: UTF8.self)
    }

    private mutating func addExtent(_ line: ArraySlice<UInt8>) throws(BlockError) {
        let quote = line.firstIndex(of: UInt8(ascii: "\"")) ?? line.endIndex
        let words = line[..<quote].split { $0 == 32 || $0 == 9 }.map { String(decoding: $0, as: UTF8.self) }
        guard words[0].lowercased() != "noaccess" else {
            throw BlockError(.denied, "the VMDK descriptor has an extent that must not be read (NOACCESS)")
        }
        guard words.count >= 3, let count = UInt64(words[1]), count <= Self.mostSectors - sectors else {
            throw BlockError(.invalidImage, "an extent of the VMDK descriptor has no size or too large a one")
        }
        sectors += count
        let kind = try kind(words[2])
        if kind == .zero {
            extents.append(Extent(kind: .zero, sectors: count, name: "", start: 0))
            return
        }
        guard let end = line.lastIndex(of: UInt8(ascii: "\"")), end > quote,
            let name = VMDKText.decode(Array(line[(quote + 1)..<end]), encoding: encoding), !name.isEmpty
        else {
            throw BlockError(
                .invalidImage, "an extent of the VMDK descriptor names no file, or not in the encoding “\(encoding)”")
        }
        let rest = Self.trimmed(line[(end + 1)...])
        guard let start = rest.isEmpty ? 0 : UInt64(Self.word(rest)), start <= Self.mostSectors - count else {
            throw BlockError(.invalidImage, "an extent of the VMDK descriptor begins at no sector of its file")
        }
        extents.append(Extent(kind: kind, sectors: count, name: name, start: start))
    }

    private func kind(_ word: String) throws(BlockError) -> Extent.Kind {
        switch word.uppercased() {
        case "SPARSE": return .sparse
        case "FLAT", "VMFS": return .flat
        case "ZERO": return .zero
        case "VMFSSPARSE":
            throw BlockError(.unsupported, "extents of the kind COWD (VMFSSPARSE) are not read; export the disk as OVF")
        case "SESPARSE":
            throw BlockError(.unsupported, "extents of the kind SESPARSE are not read; export the disk as OVF")
        case "VMFSRDM", "VMFSRAW":
            throw BlockError(.denied, "the VMDK stands for a device of the host it was made on (\(word))")
        default: throw BlockError(.unsupported, "VMDK extents of the kind \(word) are not known")
        }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while let first = line.first, first == 32 || first == 9 { line = line.dropFirst() }
        while let last = line.last, last == 32 || last == 9 { line = line.dropLast() }
        return line
    }

    /// Without the outermost quotation marks; those inside stay.
    private static func unquoted(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        value.count >= 2 && value.first == 34 && value.last == 34 ? value.dropFirst().dropLast() : value
    }
}
