import CoreTypes
import StorageInterface

/// A volume's file name: a lower-case UUID and the extension that declares its format. Nothing else is a volume, so no
/// name that reaches the file system can hold a slash or begin with a dot.
struct VolumeName: Hashable {
    let uuid: String
    let format: ImageFormat
    /// `<uuid>.base.<format>`: what a snapshot left for disks to be differences to. Its name says so, as a raw image has no
    /// room for a mark.
    let isBase: Bool

    var location: String { uuid + (isBase ? ".base." : ".") + format.rawValue }

    init(uuid: String, format: ImageFormat, isBase: Bool = false) throws(StorageError) {
        guard Self.isUUID(uuid) else {
            throw StorageError(.invalidArgument, "'\(uuid)' is not a uuid in lower case")
        }
        self.uuid = uuid
        self.format = format
        self.isBase = isBase
    }

    init(location: String) throws(StorageError) {
        let parts = location.split(separator: ".", omittingEmptySubsequences: false)
        let isBase = parts.count == 3 && parts[1] == "base"
        guard parts.count == 2 || isBase, let format = ImageFormat(rawValue: String(parts[parts.count - 1])) else {
            throw StorageError(.volumeMissing, "'\(location)' is not the name of a disk image of this SR")
        }
        try self.init(uuid: String(parts[0]), format: format, isBase: isBase)
    }

    private static func isUUID(_ text: String) -> Bool {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12]
            && text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) || $0 == 45 }
    }
}
