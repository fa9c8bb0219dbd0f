public import BlockIO
public import CoreTypes

extension CreateOptions {
    /// The parts of `key=value,key=value`. Two commas are one of a value, as in qemu-img.
    public static func pairs(of text: String) -> [String] {
        var pairs: [String] = []
        var pair = ""
        var rest = text[...]
        while let next = rest.popFirst() {
            if next == ",", rest.first != "," {
                pairs.append(pair)
                pair = ""
            } else {
                if next == "," { rest.removeFirst() }
                pair.append(next)
            }
        }
        return (pairs + [pair]).filter { !$0.isEmpty }
    }

    /// Reads `key=value,key=value`, the keys named as qemu-img names them. `.unsupported` names the first key or value
    /// that is none of them, or two that contradict each other.
    public init(parsing text: String) throws(BlockError) { try self.init(pairs: Self.pairs(of: text)) }

    /// The same, from `pairs(of:)`.
    public init(pairs: [String]) throws(BlockError) {
        var backingName: String?
        var backingFormat: ParentFormat?
        for part in pairs {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = String(pair[0])
            let value = pair.count > 1 ? String(pair[1]) : ""
            switch key {
            case "backing_file": backingName = value
            case "backing_fmt":
                guard let format = ParentFormat(parsing: value) else {
                    throw BlockError(.unsupported, "backing_fmt is raw, vhd, qcow2, vhdx or vmdk, not '\(value)'")
                }
                backingFormat = format
            default: try set(key, value)
            }
        }
        if let backingName {
            guard let backingFormat else {
                throw BlockError(.unsupported, "backing_file needs backing_fmt: formats are never guessed")
            }
            parent = Parent(name: backingName, format: backingFormat)
        } else if backingFormat != nil {
            throw BlockError(.unsupported, "backing_fmt without backing_file")
        }
        _ = try clusterBits()
        _ = try refcountOrder()
    }

    private mutating func set(_ key: String, _ value: String) throws(BlockError) {
        switch key {
        case "subformat": vhdSubformat = try Self.word(key, value)
        case "preallocation": preallocation = try Self.word(key, value)
        case "compression_type": compression = try Self.word(key, value)
        case "cluster_size": clusterSize = try Self.size(key, value)
        case "max_size": largestSize = try Self.size(key, value)
        case "refcount_bits":
            guard let bits = Int(value) else {
                throw BlockError(.unsupported, "refcount_bits '\(value)' is not a number")
            }
            refcountBits = bits
        case "compat":
            switch value {
            case "0.10", "v2": qcow2Version = 2
            case "1.1", "v3": qcow2Version = 3
            default: throw BlockError(.unsupported, "compat is 0.10 (version 2) or 1.1 (version 3), not '\(value)'")
            }
        case "lazy_refcounts": lazyRefcounts = try Self.flag(key, value)
        case "extended_l2": extendedL2 = try Self.flag(key, value)
        case "data_file": dataFile = value
        case "data_file_raw": dataFileIsRaw = try Self.flag(key, value)
        case "force_size":
            // The size of a VHD made here is always exact.
            _ = try Self.flag(key, value)
        default:
            throw BlockError(
                .unsupported,
                "unknown option '\(key)'; known are \(Self.knownKeys.keys.sorted().joined(separator: ", "))")
        }
    }

    /// The keys of `parsing`, and the formats each belongs to.
    public static let knownKeys: [String: [ImageFormat]] = [
        "subformat": [.vhd], "max_size": [.vhd], "force_size": [.vhd], "cluster_size": [.qcow2],
        "refcount_bits": [.qcow2], "compat": [.qcow2], "lazy_refcounts": [.qcow2], "extended_l2": [.qcow2],
        "compression_type": [.qcow2], "data_file": [.qcow2], "data_file_raw": [.qcow2],
        "preallocation": [.raw, .vhd, .qcow2], "backing_file": [.vhd, .qcow2], "backing_fmt": [.vhd, .qcow2],
    ]

    private static func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, _ value: String
    ) throws(BlockError) -> Word where Word.RawValue == String {
        guard let known = Word(rawValue: value.lowercased()) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw BlockError(.unsupported, "\(key) is one of \(words), not '\(value)'")
        }
        return known
    }

    private static func size(_ key: String, _ value: String) throws(BlockError) -> UInt64 {
        guard let size = ByteCount(parsing: value)?.bytes else {
            throw BlockError(.unsupported, "\(key) '\(value)' is not a size")
        }
        return size
    }

    private static func flag(_ key: String, _ value: String) throws(BlockError) -> Bool {
        switch value.lowercased() {
        case "on", "true", "yes", "": return true
        case "off", "false", "no": return false
        default: throw BlockError(.unsupported, "\(key) is on or off, not '\(value)'")
        }
    }
}
