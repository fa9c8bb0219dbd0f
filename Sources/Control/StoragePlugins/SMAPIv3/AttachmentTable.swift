import Foundation
public import Logging
import StorageInterface
import Synchronization

/// What plugins have attached on this host: SRs with the plugins' own names for them, and volumes. Kept in a file of the
/// run folder, because it ends with the host's run and outlives the toolstack's. An entry is there before the plugin is
/// told to attach, and until after it was told to detach: what a killed toolstack left is found and undone.
public final class AttachmentTable: Sendable {
    struct Content: Codable, Hashable {
        /// The run of the host's kernel in which it was written: nothing is attached after another start. What
        /// was open is still to be closed.
        var boot = ""
        /// SR uuid → the plugin's word for the attached SR.
        var repositories: [String: String] = [:]
        /// By SR uuid and key.
        var volumes: [String: [String: Attached]] = [:]
        /// SR uuid → the files of what its plugin measures. Nil in files of earlier versions, as `ending`.
        var pages: [String: [String]]?
        /// By SR uuid and key: volumes that their datapath has opened as ones of which nothing lasts. Nil as `pages`.
        var transients: [String: [String: Opened]]?
        /// SRs whose plugin was told to destroy them, which may have happened.
        var ending: Set<String>?

        mutating func setPages(_ files: [String], of repository: String) {
            pages = (pages ?? [:]).merging([repository: files]) { $1 }.filter { !$0.value.isEmpty }
        }

        mutating func setTransient(_ opened: Opened?, _ key: String, in repository: String) {
            var all = transients ?? [:]
            all[repository, default: [:]][key] = opened
            transients = all.filter { !$0.value.isEmpty }
        }

        mutating func setEnding(_ isEnding: Bool, _ repository: String) {
            var all = ending ?? []
            if isEnding { all.insert(repository) } else { all.remove(repository) }
            ending = all
        }
    }

    struct Opened: Codable, Hashable, Sendable {
        var uri: String
        var scheme: String
    }

    struct Attached: Codable, Hashable, Sendable {
        var uri: String
        var scheme: String
        var domain: String
        var isWritable: Bool
        /// `nbd:unix:…` or a path; nil before the datapath has answered.
        var place: String?
        /// It may be active: it has to be deactivated.
        var isActive = false
        /// The datapath has said that it is active.
        var isConfirmed = false
        /// The key of the volume that is attached in its place while a guest has a disk that is reset when it boots.
        var clone: String?
        /// It was opened before it was attached, and stays open: what a guest writes to it does not last.
        var isTransient: Bool?
    }

    private let file: String
    private let content: Mutex<Content>

    /// A file that cannot be read counts as empty: plugins' calls are idempotent.
    public init(file: String, logger: Logger) {
        self.file = file
        var content = Content()
        if let data = FileManager.default.contents(atPath: file) {
            do {
                content = try JSONDecoder().decode(Content.self, from: data)
            } catch {
                logger.error(
                    "the table of attached volumes is damaged and starts anew",
                    metadata: ["file": "\(file)", "error": "\(error)"])
            }
        }
        let boot = Self.boot()
        if content.boot != boot {
            content = Content(boot: boot, transients: content.transients, ending: content.ending)
        }
        self.content = Mutex(content)
    }

    private static func boot() -> String {
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    }

    func repository(_ uuid: String) -> String? { content.withLock { $0.repositories[uuid] } }
    func pages(of repository: String) -> [String] { content.withLock { $0.pages?[repository] ?? [] } }
    func isEnding(_ repository: String) -> Bool { content.withLock { $0.ending?.contains(repository) ?? false } }
    func volume(_ key: String, in repository: String) -> Attached? {
        content.withLock { $0.volumes[repository]?[key] }
    }
    func volumes(in repository: String) -> [String: Attached] { content.withLock { $0.volumes[repository] ?? [:] } }

    func transients(in repository: String) -> [String: Opened] {
        content.withLock { $0.transients?[repository] ?? [:] }
    }

    /// In the file when this returns.
    func change(_ body: (inout Content) -> Void) throws(StorageError) {
        do {
            try content.withLock { content in
                var next = content
                body(&next)
                next.volumes = next.volumes.filter { !$0.value.isEmpty }
                if next == content { return }
                try JSONEncoder().encode(next).write(to: URL(fileURLWithPath: file), options: .atomic)
                content = next
            }
        } catch {
            throw StorageError(
                .general, "the table of attached volumes \(file) cannot be written: \(error)")
        }
    }

    func set(_ attached: Attached?, _ key: String, in repository: String) throws(StorageError) {
        try change { $0.volumes[repository, default: [:]][key] = attached }
    }
}
