import CoreTypes
import Foundation
import Logging
import RPCCodec
import StorageInterface
import Synchronization
import TestSupport
import Testing

@testable import StoragePlugins

private final class Waits: Sendable {
    let all = Mutex<[Duration]>([])
}

/// Plugins that are shell scripts: each prints what a test gives it, and keeps what it was told.
@Suite("SMAPIv3 plugins") struct SMAPIv3Tests {
    let scratch: ScratchFolder
    let rows = RowsInMemory(name: "the name", description: "told")
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let repository = StorageRepository(
        uuid: "sr-uuid", deviceConfig: ["location": "/a&b", "uri": "u"], ref: "OpaqueRef:sr")
    let volume = VolumeID(location: "key-1", uuid: "vdi-uuid")
    private let waited = Waits()

    init() throws {
        scratch = try ScratchFolder("smapiv3")
        for folder in ["volume/fake", "datapath/one"] {
            try FileManager.default.createDirectory(
                atPath: scratch.file(folder), withIntermediateDirectories: true)
        }
    }

    static let query = """
        {"plugin": "fake", "name": "N", "description": "D", "vendor": "V", "copyright": "C", "version": "1",
         "required_api_version": "5.0", "features": ["VDI_DESTROY", "VDI_MIRROR/2", "FLYING"],
         "configuration": {"location": "where"}, "required_cluster_stack": ["corosync"]}
        """

    static let volumeText = """
        {"key": "key-1", "name": "n", "description": "", "read_write": true, "sharable": false,
         "virtual_size": 4096, "physical_utilisation": 10, "uri": ["none://x", "one://x"], "keys": {"vdi-type": "user"}}
        """

    static func state(_ health: String) -> String {
        """
        {"sr": "the sr", "name": "n", "description": "", "free_space": 1, "total_space": 3, "datasources": [],
         "clustered": false, "health": ["\(health)", "wait"]}
        """
    }

    /// A script that keeps its input in `asked` and appends its name to `calls`.
    func script(_ path: String, _ body: String) throws {
        let file = scratch.file(path)
        let name = path.split(separator: "/").last ?? ""
        let text = """
            #!/bin/sh
            [ "$1" = --json ] || exit 9
            cat > \(scratch.file("asked"))
            echo \(name) >> \(scratch.file("calls"))
            \(body)

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }

    func answer(_ path: String, _ text: String) throws {
        try script(path, "cat <<'END'\n\(text)\nEND")
    }

    func host(_ limits: PluginLimits = PluginLimits(time: .seconds(60))) -> PluginHost {
        PluginHost(
            settings: PluginSettings(limits: limits), rows: rows,
            table: AttachmentTable(file: scratch.file("table"), logger: quiet), logger: quiet,
            pause: { [waited] time in waited.all.withLock { $0.append(time) } })
    }

    func plugin(_ host: PluginHost, query: String = Self.query) async throws -> SMAPIv3Plugin {
        try answer("volume/fake/Plugin.Query", query)
        let changes = await PluginFolders(root: scratch.path, host: host).look()
        return try #require(changes.found.first as? SMAPIv3Plugin)
    }

    var asked: WireValue {
        get throws { try JSONText.decode(try String(contentsOfFile: scratch.file("asked"), encoding: .utf8)) }
    }

    var calls: [String] {
        let text = (try? String(contentsOfFile: scratch.file("calls"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    func failure(_ body: () async throws -> Void) async -> StorageError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test("a plugin that tracks changed blocks is asked about them") func changedBlocksOfAPlugin() async throws {
        let names = ["Volume.enable_cbt", "Volume.disable_cbt", "Volume.data_destroy"]
        for name in names { try answer("volume/fake/\(name)", "null") }
        try answer("volume/fake/Volume.stat", Self.volumeText)
        try answer("volume/fake/SR.attach", "\"the sr\"")
        let query = Self.query.replacingOccurrences(of: "\"FLYING\"", with: "\"VDI_CONFIG_CBT\"")
        let plugin = try await plugin(host(), query: query)
        #expect(plugin.info.features["VDI_CONFIG_CBT"] == 1)
        try await plugin.attach(repository)
        try await plugin.enableChangeTracking(repository, volume)
        #expect(try asked["key"] == .string("key-1") && asked["sr"] == .string("the sr"))
        try await plugin.disableChangeTracking(repository, volume)
        _ = try await plugin.destroyVolumeData(repository, volume)
        #expect(calls.filter(names.contains) == names)
        let list = "volume/fake/Volume.list_changed_blocks"
        try answer(list, "{\"granularity\": 65536, \"bitmap\": \"gA==\"}")
        let later = VolumeID(location: "key-2", uuid: "other")
        #expect(try await plugin.changedBlocks(repository, from: volume, to: later) == "gA==")
        #expect(try asked["key2"] == .string("key-2") && asked["length"] == .int(-1) && asked["offset"] == .int(0))
        // In blocks of 4 KiB: the volume has one of 64 KiB.
        try answer(list, "{\"granularity\": 4096, \"bitmap\": \"AQAA\"}")
        try answer("volume/fake/Volume.stat", Self.volumeText.replacingOccurrences(of: "4096", with: "196608"))
        #expect(try await plugin.changedBlocks(repository, from: volume, to: later) == "gA==")
        #expect(try asked["key"] == .string("key-2"))
        for wrong in [
            "{\"granularity\": 0, \"bitmap\": \"gA==\"}", "{\"granularity\": -4096, \"bitmap\": \"gA==\"}",
            "{\"granularity\": 65536}", "{\"granularity\": 65536, \"bitmap\": \"*\"}", "null",
        ] {
            try answer(list, wrong)
            #expect(await failure { _ = try await plugin.changedBlocks(repository, from: volume, to: later) } != nil)
        }
    }

    @Test("an SR whose destruction was cut off is gone when its plugin does not find it")
    func cutOffDestruction() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.detach", "null")
        try answer("volume/fake/SR.ls", "[]")
        // Whether it was destroyed is not known.
        try script("volume/fake/SR.destroy", "kill -9 $$")
        let plugin = try await plugin(host())
        #expect(await failure { try await plugin.destroyRepository(repository) } != nil)
        try script("volume/fake/SR.attach", "exit 1")
        let unsure = await failure { try await plugin.destroyRepository(repository) }
        #expect(unsure?.message.contains("SR.forget") == true)
        let found = "[{\"configuration\": {\"sr_uuid\": \"sr-uuid\"}, \"complete\": true, \"extra_info\": {}}]"
        try answer("volume/fake/SR.probe", found)
        let probing = try await self.plugin(host())
        let still = await failure { try await probing.destroyRepository(repository) }
        #expect(still?.message.contains("SR.forget") == true)
        try answer("volume/fake/SR.probe", "[]")
        try await probing.destroyRepository(repository)
        // The next of this name was never told to go.
        let never = await failure { try await probing.destroyRepository(repository) }
        #expect(never?.message.contains("SR.forget") == false)
    }

    @Test("a plugin says what it is; its scripts are its features") func aPluginSaysWhatItIs() async throws {
        for method in ["SR.ls", "sr.probe", "Volume.clone"] { try answer("volume/fake/\(method)", "null") }
        try "no program".write(toFile: scratch.file("volume/fake/Volume.resize"), atomically: true, encoding: .utf8)
        let info = try await plugin(host()).info
        #expect(info.type == "fake" && info.name == "N" && info.requiredAPIVersion == "5.0" && info.writesRows)
        #expect(info.driverFilename == scratch.file("volume/fake") && info.requiredClusterStack == ["corosync"])
        #expect(info.supportedImageFormats.isEmpty && info.configuration == ["location": "where"])
        #expect(
            info.features == [
                "VDI_DELETE": 1, "VDI_MIRROR": 2, "SR_SCAN": 1, "SR_PROBE": 1, "VDI_CLONE": 1, "VDI_ATTACH": 1,
                "VDI_DETACH": 1, "VDI_ACTIVATE": 1, "VDI_DEACTIVATE": 1, "VDI_INTRODUCE": 1,
            ])
    }

    @Test("folders come, change and go; other versions and nonsense are left out") func foldersAreFollowed()
        async throws
    {
        let folders = PluginFolders(root: scratch.path, host: host())
        for text in ["{}", "[]", "oops", Self.query.replacingOccurrences(of: "5.0", with: "4.0")] {
            try answer("volume/fake/Plugin.Query", text)
            #expect(await folders.look().isEmpty, "\(text)")
        }
        try answer("volume/fake/Plugin.Query", Self.query)
        #expect(await folders.look().found.map(\.info.type) == ["fake"])
        #expect(await folders.look().isEmpty)
        try answer("volume/fake/SR.ls", "[]")
        #expect(await folders.look().found.first?.info.features["SR_SCAN"] == 1)
        try FileManager.default.moveItem(
            atPath: scratch.file("volume/fake"), toPath: scratch.file("volume/org.xen.xapi.storage.Other"))
        let changes = await folders.look()
        #expect(changes.lost == ["fake"] && changes.found.map(\.info.type) == ["other"])
    }

    @Test("image formats are an extension: unknown ones are dropped, and only who takes them is told")
    func formatsAreAnExtension() async throws {
        try answer("volume/fake/Volume.create", Self.volumeText)
        try answer("volume/fake/Volume.set", "null")
        try answer("volume/fake/SR.attach", "\"the sr\"")
        let host = host()
        let old = try await plugin(host)
        try await old.attach(repository)
        let wanted = NewVolume(uuid: "u", size: 4096, format: nil)
        _ = try await old.createVolume(repository, wanted)
        try script(
            "volume/fake/Volume.create",
            "cp \(scratch.file("asked")) \(scratch.file("created")); cat <<'END'\n\(Self.volumeText)\nEND")
        rows.state.withLock { $0.rows = [] }
        _ = try await old.createVolume(repository, wanted)
        let created = try JSONText.decode(try String(contentsOfFile: scratch.file("created"), encoding: .utf8))
        guard case .structure(let members) = created else {
            Issue.record("no object")
            return
        }
        #expect(Set(members.map(\.name)) == ["dbg", "sr", "name", "description", "size", "sharable"])
        #expect(created["size"] == .int(4096) && created["sr"] == .string("the sr"))
        let refused = await failure {
            _ = try await old.createVolume(repository, NewVolume(uuid: "u", size: 4096, format: .vhd))
        }
        #expect(refused?.fault == .volumeType)

        let text = Self.query.replacingOccurrences(of: "\"FLYING\"", with: "\"VDI_IMAGE_FORMAT\"")
            .replacingOccurrences(
                of: "\"version\": \"1\"",
                with: "\"version\": \"1\", \"supported_image_formats\": [\"vhd\", \"vdi\", \"raw\"]")
        let new = try await plugin(host, query: text)
        #expect(new.info.supportedImageFormats == [.vhd, .raw] && new.info.unknownImageFormats == ["vdi"])
        rows.state.withLock { $0.rows = [] }
        let made = try await new.createVolume(repository, NewVolume(uuid: "u", size: 4096, format: .vhd))
        #expect(made.format == .vhd)
        let told = try JSONText.decode(try String(contentsOfFile: scratch.file("created"), encoding: .utf8))
        #expect(told["image_format"] == .string("vhd"))
    }

    @Test(
        "errors of scripts are the API's errors",
        arguments: [
            ("echo '{\"code\": \"Volume_does_not_exist\", \"params\": [\"k\"]}'; exit 1", ["fault 144"]),
            (
                "echo '{\"code\": \"Unimplemented\", \"params\": [\"k\"]}'; exit 1",
                ["UNIMPLEMENTED_IN_SM_BACKEND", "Volume.stat"]
            ),
            ("echo '{\"code\": \"MY_CODE\", \"params\": [\"a\", \"b\"]}'; exit 2", ["MY_CODE", "a", "b"]),
            (
                "echo '{\"code\": \"X\", \"params\": [\"Activated_on_another_host\", \"h\"]}'; exit 1", ["fault 46"]
            ),
            ("echo '{\"code\": \"X\", \"params\": [7]}'; exit 1", ["SCRIPT_FAILED", "non-zero exit", "1"]),
            ("echo '{\"code\": \"no code\", \"params\": []}'; exit 1", ["SCRIPT_FAILED", "non-zero exit", "1"]),
            ("kill -9 $$", ["SCRIPT_FAILED", "signalled", "signal 9"]),
            ("echo '{'", ["SCRIPT_FAILED", "bad json"]), ("exit 0", ["SCRIPT_FAILED", "bad json"]),
            ("yes", ["SCRIPT_FAILED", "too much output"]),
            ("sleep 1000", ["SCRIPT_FAILED", "timeout", "no answer within 2 s"]),
            ("echo null", ["SCRIPT_RETURNED_RPC_ERROR"]), ("echo '{\"key\": 7}'", ["SCRIPT_RETURNED_RPC_ERROR"]),
        ])
    func errorsOfScripts(_ body: String, _ expected: [String]) async throws {
        try script("volume/fake/Volume.stat", body)
        try answer("volume/fake/SR.attach", "\"the sr\"")
        let plugin = try await plugin(
            host(PluginLimits(time: .seconds(body.hasPrefix("sleep") ? 2 : 60), output: 4096)))
        try await plugin.attach(repository)
        let error = await failure { _ = try await plugin.stat(repository, volume) }
        var said = error?.apiError ?? ["fault \(error?.fault.number ?? 0)"]
        if said.first == "SCRIPT_FAILED" { said.remove(at: 1) }
        #expect(Array(said.prefix(expected.count)) == expected)
    }

    @Test("what is no script, or cannot be run, says so") func missingScripts() async throws {
        let plugin = try await plugin(host())
        #expect(await failure { try await plugin.attach(repository) }?.apiError?.first == "SCRIPT_MISSING")
        try "text".write(toFile: scratch.file("volume/fake/SR.attach"), atomically: true, encoding: .utf8)
        #expect(await failure { try await plugin.attach(repository) }?.apiError?.first == "SCRIPT_NOT_EXECUTABLE")
        #expect(
            await failure { _ = try await plugin.scan(repository) }?.apiError == ["SR_NOT_ATTACHED", "OpaqueRef:sr"])
    }

    @Test("an SR that cannot be reached is asked three times more; one that is not well is not scanned")
    func healthStates() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.ls", "[\(Self.volumeText)]")
        try answer("volume/fake/SR.stat", Self.state("Unreachable"))
        let plugin = try await plugin(host())
        try await plugin.attach(repository)
        let error = await failure { _ = try await plugin.scan(repository) }
        #expect(error?.apiError == ["SR_UNHEALTHY", "OpaqueRef:sr", "Unreachable", "wait"])
        #expect(waited.all.withLock { $0 } == [.seconds(1), .seconds(1), .seconds(1)])
        #expect(calls.count { $0 == "SR.stat" } == 4 && !calls.contains("SR.ls"))
        // It comes back while it is waited for.
        try script(
            "volume/fake/SR.stat",
            """
            if [ -e \(scratch.file("again")) ]; then cat <<'END'
            \(Self.state("Healthy"))
            END
            else touch \(scratch.file("again")); cat <<'END'
            \(Self.state("Unreachable"))
            END
            fi
            """)
        _ = try await plugin.scan(repository)
        #expect(rows.state.withLock { $0.listed.map(\.key) } == ["key-1"])
        try answer("volume/fake/SR.ls", "[\(Self.volumeText), \(Self.volumeText)]")
        #expect(await failure { _ = try await plugin.scan(repository) }?.apiError?.first == "SCRIPT_RETURNED_RPC_ERROR")
    }

    @Test("version 3.0 gets its uri, and may answer less") func versionThree() async throws {
        for method in ["SR.create", "Volume.destroy"] { try answer("volume/fake/\(method)", "null") }
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer(
            "volume/fake/Volume.create", Self.volumeText.replacingOccurrences(of: "\"sharable\": false,", with: ""))
        let plugin = try await plugin(host(), query: Self.query.replacingOccurrences(of: "5.0", with: "3.0"))
        try await plugin.createRepository(repository)
        #expect(try asked["uri"] == .string("u") && asked["name"] == .string("the name"))
        #expect(try asked["configuration"]?["location"] == .string("/a&b"))
        try await plugin.attach(repository)
        #expect(try asked["uri"] == .string("u"))
        let made = try await plugin.createVolume(repository, NewVolume(uuid: "u", size: 4096, smConfig: ["k": "v"]))
        #expect(made.uuid == "u" && made.location == "key-1")
    }

    @Test("a volume that is not what was asked for does not stay, and no old one passes for new")
    func wrongVolumes() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/Volume.create", Self.volumeText)
        try answer("volume/fake/Volume.destroy", "null")
        try answer("volume/fake/Volume.set", "null")
        let plugin = try await plugin(host())
        try await plugin.attach(repository)
        _ = await failure { _ = try await plugin.createVolume(repository, NewVolume(uuid: "u", size: 8192)) }
        #expect(calls.last == "Volume.destroy" && rows.volumeRows(repository: "").isEmpty)
        _ = try await plugin.createVolume(repository, NewVolume(uuid: "u", size: 4096))
        let count = calls.count
        #expect(
            await failure { _ = try await plugin.createVolume(repository, NewVolume(uuid: "w", size: 4096)) }?.apiError?
                .first == "SCRIPT_RETURNED_RPC_ERROR")
        #expect(calls.dropFirst(count) == ["Volume.create"], "a volume that was there before was destroyed")
    }

    @Test("a volume is noted before it is made, until somebody has heard of its end")
    func unfinishedVolumes() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        for method in ["set", "unset", "destroy"] { try answer("volume/fake/Volume.\(method)", "null") }
        let plugin = try await plugin(host())
        try await plugin.attach(repository)
        rows.state.withLock {
            $0.rows = [VolumeRow(uuid: "vdi-uuid", key: "key-1", name: "d", description: "", isManaged: true)]
        }
        func titles(
            _ body: String, _ operation: (SMAPIv3Plugin) async throws -> Void
        ) async throws -> [String] {
            for method in ["create", "clone", "snapshot"] { try script("volume/fake/Volume.\(method)", body) }
            rows.state.withLock { $0.unfinished = [] }
            _ = await failure { try await operation(plugin) }
            return rows.state.withLock { $0.unfinished.map(\.title) }
        }
        let new = NewVolume(uuid: "u", size: 4096, nameLabel: "new")
        for (title, operation) in [
            ("unfinished disk new", { _ = try await $0.createVolume(repository, new) }),
            ("unfinished snapshot of d", { _ = try await $0.snapshotVolume(repository, volume, as: new) }),
            ("unfinished clone of d", { try await $0.beginEpoch(repository, volume) }),
        ] as [(String, (SMAPIv3Plugin) async throws -> Void)] {
            #expect(try await titles("kill -9 $$", operation) == [title])
        }
        for (body, isTold) in [
            ("echo null", false), ("echo '{\"code\": \"C\", \"params\": []}'; exit 1", true),
            // The key that there is already: it may have made one that it does not tell of.
            ("cat <<'END'\n\(Self.volumeText)\nEND", false),
            ("cat <<'END'\n\(Self.volumeText.replacingOccurrences(of: "key-1", with: "key-2"))\nEND", true),
        ] {
            let left = try await titles(body) { _ = try await $0.cloneVolume(repository, volume, as: new) }
            #expect(left == (isTold ? [] : ["unfinished clone of d"]), "\(body)")
        }
        #expect(try await titles("echo null") { try await $0.beginEpoch(repository, volume) }.count == 1)
        let found = try PluginVolume(try JSONText.decode(Self.volumeText))
        #expect(!UnfinishedVolume(.disk, name: "new").mayBe(found))
        #expect(UnfinishedVolume(.clone, name: "new").mayBe(found))
    }

    @Test("an attached volume goes through its datapath in order, and a restart knows of it")
    func datapathOrder() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.stat", Self.state("Healthy"))
        try answer("volume/fake/SR.detach", "null")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        for method in ["open", "activate", "deactivate", "detach", "close"] {
            try answer("datapath/one/Datapath.\(method)", "null")
        }
        try answer(
            "datapath/one/Datapath.attach",
            """
            {"implementations": [["XenDisk", {"params": "", "extra": {}, "backend_type": ""}],
             ["File", {"path": "\(scratch.path)"}],
             ["BlockDevice", {"path": "\(scratch.file("calls"))"}]]}
            """)
        let first = try await plugin(host())
        try await first.attach(repository)
        let access = try await first.attachVolume(repository, volume, writable: true)
        #expect(access == .image(path: scratch.file("calls"), format: .raw), "the block device comes before the file")
        #expect(try asked["domain"] == .string("u0_gantry_vdi_uuid") && asked["uri"] == .string("one://x"))
        // An activation that failed is tried again, one that went well is not.
        try script("datapath/one/Datapath.activate", "exit 1")
        _ = await PluginFolders(root: scratch.path, host: first.host).look()
        #expect(await failure { try await first.activateVolume(repository, volume, writable: true) } != nil)
        try answer("datapath/one/Datapath.activate", "null")
        _ = await PluginFolders(root: scratch.path, host: first.host).look()
        try await first.activateVolume(repository, volume, writable: true)
        try await first.activateVolume(repository, volume, writable: true)
        #expect(calls.count { $0 == "Datapath.activate" } == 2)

        // Another toolstack, with the table of the first.
        let second = try await plugin(host())
        try await second.attach(repository)
        #expect(try await second.attachVolume(repository, volume, writable: true) == access)
        try await second.activateVolume(repository, volume, writable: true)
        #expect(calls.count { $0 == "SR.attach" } == 1 && calls.count { $0 == "Datapath.attach" } == 1)
        try await second.detach(repository)
        #expect(
            calls.suffix(4) == ["Datapath.deactivate", "Datapath.detach", "Datapath.close", "SR.detach"])
        #expect(
            calls.filter { $0.hasPrefix("Datapath.") }.prefix(3) == [
                "Datapath.open", "Datapath.attach", "Datapath.activate",
            ])
        try await second.detachVolume(repository, volume)
        #expect(calls.last == "SR.detach", "what is not attached was detached")
    }

    @Test(
        "what a datapath offers is checked",
        arguments: [
            ("[[\"XenDisk\", {\"params\": \"\", \"extra\": {}, \"backend_type\": \"\"}]]", false),
            ("[[\"Nbd\", {\"uri\": \"nbd:unix:/s:exportname=e\"}], [\"File\", {\"path\": \"/f\"}]]", true),
            ("[[\"Nbd\", {\"uri\": \"nbd:unix:s\"}]]", false), ("[[\"File\", {\"path\": \"f\"}]]", false),
            ("[[\"File\"]]", false), ("{}", false), ("[]", false),
        ])
    func implementations(_ text: String, _ isGood: Bool) throws {
        let value = try JSONText.decode("{\"implementations\": \(text)}")
        let place = try? PluginAttachment(value).place
        #expect((place != nil) == isGood)
        if isGood { #expect(place == .nbd(NBDAddress(socket: "/s", export: "e"))) }
    }

    @Test("a failed attach is undone, and no scheme or URI says so") func failedAttach() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        try answer("datapath/one/Datapath.attach", "{}")
        try answer("datapath/one/Datapath.detach", "null")
        let host = host()
        let plugin = try await plugin(host)
        try await plugin.attach(repository)
        #expect(await failure { _ = try await plugin.attachVolume(repository, volume, writable: true) } != nil)
        #expect(calls.last == "Datapath.detach" && host.table.volumes(in: "sr-uuid").isEmpty)
        try answer(
            "volume/fake/Volume.stat", Self.volumeText.replacingOccurrences(of: "\"none://x\", \"one://x\"", with: ""))
        let error = await failure { _ = try await plugin.attachVolume(repository, volume, writable: true) }
        #expect(error?.apiError == ["MISSING_URI", "key-1"])
        try answer(
            "volume/fake/Volume.stat", Self.volumeText.replacingOccurrences(of: ", \"one://x\"", with: ""))
        #expect(
            await failure { _ = try await plugin.attachVolume(repository, volume, writable: true) }?.fault
                == .volumeUnavailable)
    }
}
