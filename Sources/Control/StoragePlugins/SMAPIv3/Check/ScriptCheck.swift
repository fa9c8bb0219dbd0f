import CoreTypes
import Foundation
import RPCCodec
import StorageInterface
import Synchronization

/// Checks a SMAPIv3 plugin, with the plugin's own host as far as that goes: what passes here works there.
struct ScriptCheck {
    private let plugin: PluginCheck
    private let runner: ScriptRunner
    private let rows = RowsInMemory(name: "check", description: "made by gantry plugin check")
    var report = CheckReport()

    /// Scripts without which nothing works.
    private static let mandatory = [
        "Plugin.query", "SR.attach", "SR.detach", "SR.stat", "SR.ls", "Volume.stat",
    ]

    init(plugin: PluginCheck, runner: ScriptRunner) {
        self.plugin = plugin
        self.runner = runner
    }

    mutating func run() async {
        guard let folder = ScriptFolder(path: plugin.path) else {
            let path = plugin.path
            await report.check("the folder can be read") {
                throw CheckReport.Failure(description: "\(path) cannot be read")
            }
            return
        }
        for method in Self.mandatory {
            await report.check("\(method) is there and executable") {
                switch folder.script(method) {
                case .program: break
                case .missing: throw CheckReport.Failure(description: "there is no \(folder.path)/\(method)")
                case .notExecutable(let path): throw CheckReport.Failure(description: "chmod +x \(path)")
                }
            }
        }
        let description = await report.check("Plugin.query says what it is") { [runner] in
            try await PluginFolders.describe("checked", folder, runner)
        }
        guard let description else { return }
        await report.check("its features and image formats are known ones") {
            let unknown = description.warnings + description.info.unknownImageFormats.map { "image format \($0)" }
            if !unknown.isEmpty { throw CheckReport.Failure(description: unknown.joined(separator: "; ")) }
        }
        guard let configuration = plugin.configuration else {
            return report.skip("its SRs and volumes live", "no --device-config names a place that may be used")
        }
        await live(folder, description, configuration)
    }

    /// A test SR from its creation to its end; what was made is destroyed when the plugin can.
    private mutating func live(
        _ folder: ScriptFolder, _ description: PluginDescription, _ configuration: [String: String]
    ) async {
        let scratch = NSTemporaryDirectory() + "/gantry-check-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let host = PluginHost(
            settings: runner.settings, rows: rows, table: AttachmentTable(file: scratch, logger: runner.logger),
            logger: runner.logger, metricsFolder: plugin.metricsFolder)
        let above = URL(fileURLWithPath: plugin.path).deletingLastPathComponent().deletingLastPathComponent().path
        await PluginFolders(root: above, host: host).lookAtDatapaths(below: plugin.datapaths ?? above + "/datapath")
        let checked = SMAPIv3Plugin(description: description, folder: folder, host: host)
        var repository = StorageRepository(
            uuid: UUID().uuidString.lowercased(), deviceConfig: configuration, ref: "OpaqueRef:checked")
        if folder.has("SR.probe") {
            await report.check("SR.probe answers") { _ = try await checked.probe(configuration, smConfig: [:]) }
        }
        if folder.has("SR.create") {
            let isMade: Void? = await report.check("SR.create makes an SR") { [repository] in
                try await checked.createRepository(repository)
            }
            guard isMade != nil else { return }
            if let config = rows.state.withLock({ $0.deviceConfig }) { repository.deviceConfig = config }
        }
        let isAttached: Void? = await report.check("SR.attach answers a string") { [repository] in
            try await checked.attach(repository)
        }
        guard isAttached != nil else { return }
        await report.check("SR.attach may be called again") { [repository] in
            let first = host.table.repository(repository.uuid)
            try host.table.change { $0.repositories = [:] }
            try await checked.attach(repository)
            guard host.table.repository(repository.uuid) == first else {
                throw CheckReport.Failure(description: "it answered another string than before")
            }
        }
        await report.check("SR.stat and SR.ls answer, and the SR is healthy") { [repository] in
            _ = try await checked.scan(repository)
        }
        await beside(checked, folder, repository)
        if folder.has("Volume.create") {
            let formats: [ImageFormat?] =
                description.takesFormat ? description.info.supportedImageFormats : [nil]
            for (index, format) in formats.enumerated() {
                await volumes(checked, folder, repository, format, isFirst: index == 0)
            }
        }
        if folder.has("SR.destroy"), folder.has("SR.create") {
            await report.check("SR.destroy destroys the empty SR") { [repository] in
                try await checked.destroyRepository(repository)
            }
        } else {
            await report.check("SR.detach detaches") { [repository] in try await checked.detach(repository) }
        }
    }

    /// What an SR has beside its volumes.
    private mutating func beside(
        _ checked: SMAPIv3Plugin, _ folder: ScriptFolder, _ repository: StorageRepository
    ) async {
        if folder.has("SR.set_name") {
            await report.check("SR.set_name changes the name") {
                try await checked.renameRepository(repository) { ("renamed", "by the check") }
                let name = try await checked.state(repository, try await checked.sr(repository)).name
                guard name == "renamed" else { throw CheckReport.Failure(description: "SR.stat tells of another name") }
            }
        }
        if !checked.host.table.pages(of: repository.uuid).isEmpty {
            await report.check("the data sources of SR.stat can be read") {
                for file in checked.host.table.pages(of: repository.uuid) {
                    try await Self.measured(file, checked)
                }
            }
        }
    }

    /// What writes the page may have been started only now: it has ten seconds.
    private static func measured(_ file: String, _ checked: SMAPIv3Plugin) async throws {
        for attempt in 1... {
            do throws(MisshapenRecord) {
                _ = try checked.read(page: file, in: try checked.openMetricsFolder())
                return
            } catch {
                guard attempt < 20 else {
                    let path = checked.host.metricsFolder + "/" + file
                    throw CheckReport.Failure(description: "\(path): \(error.description)")
                }
            }
            try await checked.host.pause(.milliseconds(500))
        }
    }

    private static let size: UInt64 = 4 << 20

    private mutating func volumes(
        _ checked: SMAPIv3Plugin, _ folder: ScriptFolder, _ repository: StorageRepository, _ format: ImageFormat?,
        isFirst: Bool
    ) async {
        let suffix = format.map { " (\($0.rawValue))" } ?? ""
        let made = await report.check("Volume.create makes a volume\(suffix)") {
            try await checked.createVolume(
                repository,
                NewVolume(
                    uuid: UUID().uuidString.lowercased(), size: Self.size, format: format, nameLabel: "check",
                    nameDescription: "made by gantry plugin check", smConfig: ["checked": "yes"]))
        }
        guard let made else { return }
        let volume = VolumeID(location: made.location, uuid: made.uuid)
        await use(checked, repository, volume, suffix)
        if isFirst { await change(checked, folder, repository, made, suffix) }
        await report.check("Volume.destroy destroys it\(suffix)") {
            try await checked.destroyVolume(repository, volume)
            let keys = try await checked.list(try await checked.sr(repository)).map(\.key)
            guard !keys.contains(made.location) else { throw CheckReport.Failure(description: "SR.ls still lists it") }
        }
    }

    /// What is the same in every format.
    private mutating func change(
        _ checked: SMAPIv3Plugin, _ folder: ScriptFolder, _ repository: StorageRepository, _ made: Volume,
        _ suffix: String
    ) async {
        let volume = VolumeID(location: made.location, uuid: made.uuid)
        await report.check("Volume.stat tells of it, with its keys\(suffix)") {
            let sr = try await checked.sr(repository)
            let found = try await checked.list(sr).first { $0.key == made.location }
            guard let found else { throw CheckReport.Failure(description: "SR.ls does not list it") }
            guard checked.isLegacy || found.smConfig["checked"] == "yes" else {
                throw CheckReport.Failure(description: "what Volume.set stored is not in keys")
            }
            _ = try await checked.stat(repository, volume)
        }
        await report.check("a volume that is not there is Volume_does_not_exist\(suffix)") {
            do throws(StorageError) {
                _ = try await checked.stat(repository, VolumeID(location: UUID().uuidString.lowercased()))
            } catch {
                guard error.fault == .volumeMissing else { throw error }
                return
            }
            throw CheckReport.Failure(description: "Volume.stat tells of a volume that is not there")
        }
        if folder.has("Volume.set_name") {
            await report.check("Volume.set_name changes the name\(suffix)") {
                let sr = try await checked.sr(repository)
                try await checked.name(made.location, sr, "renamed", "")
                guard try await checked.list(sr).first(where: { $0.key == made.location })?.name == "renamed" else {
                    throw CheckReport.Failure(description: "SR.ls tells of another name")
                }
            }
        }
        if !checked.isLegacy {
            await report.check("Volume.set and Volume.unset change its keys\(suffix)") {
                try await checked.storeConfiguration(repository, volume) { ["checked": "again", "more": "m"] }
                try await checked.storeConfiguration(repository, volume) { ["more": nil] }
                let sr = try await checked.sr(repository)
                let keys = try await checked.list(sr).first { $0.key == made.location }?.smConfig
                guard keys?["checked"] == "again", keys?["more"] == nil else {
                    throw CheckReport.Failure(description: "its keys are not what was set last")
                }
            }
        }
        if checked.info.features["VDI_RESET_ON_BOOT"] != nil {
            await report.check("a guest can have it without keeping it\(suffix)") {
                try await Self.reset(checked, repository, volume)
            }
        }
        if folder.has("Volume.resize") {
            await report.check("Volume.resize grows it\(suffix)") {
                _ = try await checked.resizeVolume(repository, volume, size: 2 * Self.size)
            }
        }
        if folder.has("Volume.snapshot") {
            await derived("Volume.snapshot makes another volume\(suffix)", checked, repository) {
                () async throws(StorageError) in
                try await checked.snapshotVolume(repository, volume, as: NewVolume(uuid: UUID().uuidString))
            }
        }
        if folder.has("Volume.clone") {
            await derived("Volume.clone makes another volume\(suffix)", checked, repository) {
                () async throws(StorageError) in
                try await checked.cloneVolume(repository, volume, as: NewVolume(uuid: UUID().uuidString))
            }
        }
    }

    /// As a guest has a disk whose `on_boot` is `reset`.
    private static func reset(
        _ checked: SMAPIv3Plugin, _ repository: StorageRepository, _ volume: VolumeID
    ) async throws {
        let before = Set(try await checked.list(try await checked.sr(repository)).map(\.key))
        try await checked.beginEpoch(repository, volume)
        do {
            var present = volume
            present.isInEpoch = true
            _ = try await checked.attachVolume(repository, present, writable: true)
            try await checked.activateVolume(repository, present, writable: true)
            let place = checked.host.table.volume(volume.location, in: repository.uuid)?.place
            guard place.flatMap(DriverAttachment.init(text:))?.isThere == true else {
                throw CheckReport.Failure(description: "there is nothing at \(place ?? "") after Datapath.activate")
            }
        } catch {
            try? await checked.endEpoch(repository, volume)
            throw error
        }
        try await checked.endEpoch(repository, volume)
        guard Set(try await checked.list(try await checked.sr(repository)).map(\.key)) == before else {
            throw CheckReport.Failure(description: "SR.ls lists other volumes afterwards")
        }
    }

    private mutating func derived(
        _ name: String, _ checked: SMAPIv3Plugin, _ repository: StorageRepository,
        _ body: () async throws(StorageError) -> DerivedVolume
    ) async {
        await report.check(name) {
            let made = try await body().volume
            let isAsLarge = made.virtualSize >= Self.size
            try await checked.destroyVolume(repository, VolumeID(location: made.location, uuid: made.uuid))
            guard isAsLarge else { throw CheckReport.Failure(description: "it is smaller than its origin") }
        }
    }

    private mutating func use(
        _ checked: SMAPIv3Plugin, _ repository: StorageRepository, _ volume: VolumeID, _ suffix: String
    ) async {
        await report.check("its datapath attaches and activates, again and again\(suffix)") {
            let first = try await checked.attachVolume(repository, volume, writable: true)
            do {
                try await checked.activateVolume(repository, volume, writable: true)
                let known = checked.host.table.volume(volume.location, in: repository.uuid)
                guard let place = known?.place.flatMap(DriverAttachment.init(text:)), place.isThere else {
                    throw CheckReport.Failure(
                        description: "there is nothing at \(known?.place ?? "") after Datapath.activate")
                }
                try checked.host.table.change { $0.volumes = [:] }
                guard try await checked.attachVolume(repository, volume, writable: true) == first else {
                    throw CheckReport.Failure(description: "Datapath.attach answered something else than before")
                }
                try await checked.activateVolume(repository, volume, writable: true)
                guard place.isThere else {
                    throw CheckReport.Failure(description: "nothing is there after the second Datapath.activate")
                }
            } catch {
                try? await checked.release(volume.location, in: repository)
                throw error
            }
            let attached = checked.host.table.volume(volume.location, in: repository.uuid)
            try await checked.release(volume.location, in: repository)
            // Once more, as after a restart in between.
            try checked.host.table.set(attached, volume.location, in: repository.uuid)
            try await checked.release(volume.location, in: repository)
        }
    }
}
