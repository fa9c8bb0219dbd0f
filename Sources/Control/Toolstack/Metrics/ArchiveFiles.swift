import Foundation
import MetricArchives

/// The files of archives: `FOLDER/vm-UUID` and so on. A file that is damaged counts as none.
struct ArchiveFiles: Sendable {
    private let folder: String

    init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Nil for owners whose identifiers are no plain names: they come from requests.
    private func path(_ owner: MetricOwner) -> String? {
        let uuid = owner.uuid
        guard (1...64).contains(uuid.utf8.count), uuid.utf8.allSatisfy(Self.isPlain) else { return nil }
        return "\(folder)/\(owner.word)-\(uuid)"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    func load(_ owner: MetricOwner) -> MetricArchive? {
        guard let path = path(owner), let data = FileManager.default.contents(atPath: path) else { return nil }
        return MetricArchive(encoded: [UInt8](data))
    }

    /// In place of the old file, or not at all.
    func store(_ archive: MetricArchive, of owner: MetricOwner) throws {
        guard let path = path(owner) else { return }
        try Data(archive.encoded).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Removes the files of all other owners.
    func keep(_ isWanted: (MetricOwner) -> Bool) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
            if parts.count == 2, let owner = MetricOwner(word: parts[0], uuid: parts[1]), isWanted(owner) { continue }
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }
}
