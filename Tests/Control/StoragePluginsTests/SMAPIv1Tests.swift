import CoreTypes
import Foundation
import Logging
import RPCCodec
import StorageInterface
import TestSupport
import Testing

@testable import StoragePlugins

/// Drivers that are shell scripts: each prints what a test gives it.
@Suite("SMAPIv1 drivers") struct SMAPIv1Tests {
    let scratch: ScratchFolder
    let home = FakeHome()
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let repository = StorageRepository(
        uuid: "sr-uuid", deviceConfig: ["location": "/a&b", "password": "p"], ref: "OpaqueRef:sr", physicalSize: 7)
    let volume = VolumeID(location: "there", uuid: "vdi-uuid", ref: "OpaqueRef:vdi")

    init() throws { scratch = try ScratchFolder("smapiv1") }

    static func response(_ value: String) -> String {
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>\(value)</value>\n</param>\n</params>\n</methodResponse>\n"
    }

    private static func fault(_ code: Int, _ text: String) -> String {
        """
        <methodResponse><fault><value><struct><member><name>faultCode</name><value><int>\(code)</int></value></member>
        <member><name>faultString</name><value><string>\(text)</string></value></member></struct></value></fault></methodResponse>
        """
    }

    static let description = response(
        """
        <struct>
        \(["name", "description", "vendor", "copyright", "driver_version", "required_api_version"].map {
            "<member><name>\($0)</name><value><string>the \($0)</string></value></member>"
        }.joined())
        <member><name>capabilities</name><value><array><data><value><string>VDI_CREATE</string></value>
        <value><string>VDI_RESET_ON_BOOT/2</string></value><value><string>VDI_ACTIVATE</string></value>
        <value><string>VDI_RESIZE/2</string></value><value><string>VDI_RESIZE_ONLINE</string></value>
        <value><string>VDI_CONFIG_CBT</string></value>
        <value><string>VDI_DEACTIVATE</string></value><value><string>FLYING</string></value></data></array></value></member>
        <member><name>configuration</name><value><array><data><value><struct><member><name>key</name>
        <value><string>location</string></value></member><member><name>description</name>
        <value><string>where</string></value></member></struct></value></data></array></value></member>
        <member><name>supported_image_formats</name><value><array><data><value><string>qcow2</string></value>
        <value><string>vdi</string></value><value><string>raw</string></value></data></array></value></member>
        </struct>
        """)

    /// A driver that keeps its argument in the file `asked` and runs the script.
    func install(_ name: String, _ script: String) throws -> String {
        let path = scratch.file(name)
        try "#!/bin/sh\nprintf %s \"$1\" > \(scratch.file("asked"))\n\(script)\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    func driver(answering text: String, features: [String: Int64] = [:]) throws -> SMAPIv1Driver {
        try text.write(toFile: scratch.file("answer"), atomically: true, encoding: .utf8)
        return try driver("echo complaint >&2; cat \(scratch.file("answer"))", features: features)
    }

    func driver(
        _ script: String, features: [String: Int64] = [:], limits: PluginLimits = PluginLimits(time: .seconds(60))
    ) throws -> SMAPIv1Driver {
        let path = try install("FAKESR", script)
        let info = StorageManagerInfo(
            type: "fake", name: "", description: "", vendor: "", copyright: "", version: "", requiredAPIVersion: "",
            features: features, configuration: [:], supportedImageFormats: [], writesRows: true)
        return SMAPIv1Driver(
            info: info,
            runner: DriverRunner(
                program: path, settings: PluginSettings(limits: limits), home: home, logger: quiet,
                attaching: CallQueue()))
    }

    /// What it says to standard error goes into the log with the reason.
    @Test func aDriverThatDoesNotStartIsQuoted() async throws {
        let runner = DriverRunner(
            program: try install("BADSR", "echo 'ImportError: no module SR' >&2; exit 1"), settings: PluginSettings(),
            home: home, logger: quiet, attaching: CallQueue())
        guard case .failure(let error) = await runner.describe(type: "bad") else {
            Issue.record("a driver that failed has described itself")
            return
        }
        #expect(error.complaint == "ImportError: no module SR\n" && error.description.contains("status 1"))
    }

    var asked: WireValue {
        get throws {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.file("asked")))
            let call = try XMLRPC.decodeCall([UInt8](bytes))
            #expect(call.parameters.count == 1)
            let first = try #require(call.parameters.first)
            #expect(first["command"] == .string(call.method))
            return first
        }
    }

    func failure(_ body: () async throws -> Void) async -> StorageError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StorageError
        }
    }

    @Test("a driver says what it is; what the toolstack does not know is left out") func description() async throws {
        let path = try install("FancySR", "cat \(scratch.file("answer"))")
        try Self.description.write(toFile: scratch.file("answer"), atomically: true, encoding: .utf8)
        _ = try install("BROKENSR", "echo '<oops>'")
        try "no program".write(toFile: scratch.file("TEXTSR"), atomically: true, encoding: .utf8)
        let folders = DriverFolders(
            folders: ["/nonexistent", scratch.path], settings: PluginSettings(), home: home, logger: quiet)
        let changes = await folders.look()
        #expect(changes.lost == [])
        let info = try #require(changes.found.first?.info)
        #expect(changes.found.count == 1)
        #expect(info.type == "fancy" && info.driverFilename == path && info.writesRows)
        #expect(info.name == "the name" && info.version == "the driver_version")
        // Neither what it says beyond that, nor what the toolstack would not ask it for.
        #expect(
            info.features == [
                "VDI_CREATE": 1, "VDI_ACTIVATE": 1, "VDI_RESIZE": 2, "VDI_DEACTIVATE": 1, "VDI_RESET_ON_BOOT": 2,
                "VDI_RESIZE_ONLINE": 1, "VDI_CONFIG_CBT": 1,
            ])
        #expect(info.configuration == ["location": "where"])
        #expect(info.supportedImageFormats == [.qcow2, .raw] && info.unknownImageFormats == ["vdi"])
        // Without a session, an SR, or anything else that is not there yet.
        #expect(try asked["session_ref"] == nil)
        #expect(home.sessions.all == 0)

        #expect(await folders.look().isEmpty)
        try FileManager.default.removeItem(atPath: path)
        #expect(await folders.look().lost == ["fancy"])
    }

    @Test("a driver that fails to say what it is stays what it was, and is asked again")
    func aDriverThatFailsToSayWhatItIsIsAskedAgain() async throws {
        try Self.description.write(toFile: scratch.file("answer"), atomically: true, encoding: .utf8)
        let (answer, good, once) = (scratch.file("answer"), scratch.file("good"), scratch.file("once"))
        // Fails at the first question only.
        _ = try install("ASR", "[ -e \(once) ] && cat \(answer); touch \(once)")
        _ = try install("BSR", "[ -e \(good) ] && cat \(answer)")
        let folders = DriverFolders(
            folders: [scratch.path], settings: PluginSettings(), home: home, logger: quiet, firstDelay: .zero)
        #expect(await folders.look().found.map(\.info.type) == ["a"])
        #expect(await folders.look().isEmpty)
        try "".write(toFile: good, atomically: true, encoding: .utf8)
        #expect(await folders.look().found.map(\.info.type) == ["b"])
        #expect(await folders.look().isEmpty)

        try FileManager.default.removeItem(atPath: good)
        _ = try install("BSR", "[ -e \(good) ] && exec cat \(answer)")
        #expect(await folders.look().isEmpty)
        try "".write(toFile: good, atomically: true, encoding: .utf8)
        #expect(await folders.look().found.map(\.info.type) == ["b"])
        try FileManager.default.removeItem(atPath: scratch.file("BSR"))
        #expect(await folders.look().lost == ["b"])
    }

    @Test("only drivers of the allow-list are asked") func allowed() async throws {
        try Self.description.write(toFile: scratch.file("answer"), atomically: true, encoding: .utf8)
        for name in ["ASR", "BSR"] { _ = try install(name, "cat \(scratch.file("answer"))") }
        let folders = DriverFolders(
            folders: [scratch.path], settings: PluginSettings(allowed: ["b"]), home: home, logger: quiet)
        #expect(await folders.look().found.map(\.info.type) == ["b"])
    }

    @Test("a description without a mandatory member, or with one of another type, is refused") func misshapen() {
        for text in ["<struct></struct>", "<array><data></data></array>", "<nil/>"] {
            guard case .value(let value)? = try? XMLRPC.decodeResponse(Array(Self.response(text).utf8)) else {
                Issue.record("not an answer: \(text)")
                continue
            }
            guard case .failure = DriverDescription.read(value, type: "x", program: "/x") else {
                Issue.record("accepted: \(text)")
                continue
            }
        }
    }

    @Test("a call is one document with all that drivers expect") func aCallIsOneDocument() async throws {
        let driver = try driver(answering: Self.response("<nil/>"))
        try await driver.createRepository(repository)
        let call = try asked
        #expect(call["args"] == .array([.string("7")]))
        #expect(call["host_ref"] == .string("OpaqueRef:host"))
        #expect(call["session_ref"] == .string("OpaqueRef:session1"))
        #expect(call["sr_ref"] == .string("OpaqueRef:sr") && call["sr_uuid"] == .string("sr-uuid"))
        #expect(
            call["device_config"]
                == .structure([
                    WireMember("SRmaster", .string("true")), WireMember("location", .string("/a&b")),
                    WireMember("password", .string("p")),
                ]))
        #expect(home.sessions.open == 0)
        #expect(call["subtask_of"] == nil && call["local_cache_sr"] == nil)
        home.set(task: "OpaqueRef:task", localCache: "cache-uuid")
        var second = repository
        second.isMaster = false
        try await driver.createRepository(second)
        #expect(try asked["subtask_of"] == .string("OpaqueRef:task"))
        #expect(try asked["local_cache_sr"] == .string("cache-uuid"))
        #expect(try asked["device_config"]?["SRmaster"] == .string("false"))
        home.set(task: nil, localCache: nil)

        try await driver.destroyVolume(repository, volume)
        #expect(try asked["command"] == .string("sr_create"), "a VDI without a row was deleted")
        home.add(Volume(uuid: "vdi-uuid", location: "there", format: nil, virtualSize: 5, physicalSize: 1))
        try await driver.destroyVolume(repository, volume)
        #expect(try asked["command"] == .string("vdi_delete"))
        #expect(try asked["vdi_ref"] == .string("OpaqueRef:vdi") && asked["vdi_location"] == .string("there"))
        #expect(try asked["vdi_on_boot"] == .string("persist") && asked["vdi_allow_caching"] == .string("false"))
    }

    @Test("a new VDI is what its row says; an answer without a row is an error") func creation() async throws {
        let answer = """
            <struct><member><name>uuid</name><value>new</value></member><member><name>location</name>
            <value>place</value></member></struct>
            """
        let driver = try driver(answering: Self.response(answer))
        let wanted = NewVolume(uuid: "ignored", size: 4096, format: .qcow2, nameLabel: "n<", smConfig: ["k": "v"])
        let refused = await failure { _ = try await driver.createVolume(repository, wanted) }
        #expect(refused?.apiError?.first == "SR_BACKEND_FAILURE")
        let row = Volume(uuid: "new", location: "place", format: .qcow2, virtualSize: 4096, physicalSize: 10)
        home.addInNextCall(row)
        #expect(try await driver.createVolume(repository, wanted) == row)
        guard case .array(let arguments)? = try asked["args"] else {
            Issue.record("no args")
            return
        }
        #expect(arguments.count == 8)
        #expect(arguments.prefix(2) == [.string("4096"), .string("n<")])
        #expect(arguments[3] == .string("OpaqueRef:NULL") && arguments[7] == .string("false"))
        #expect(
            try asked["vdi_sm_config"]
                == .structure([WireMember("image-format", .string("qcow2")), WireMember("k", .string("v"))]))
        #expect(try asked["vdi_ref"] == nil && asked["vdi_uuid"] == nil && asked["vdi_type"] == .string("user"))
    }

    @Test("a disk that was there before does not pass for a new one") func anOldDiskIsNoNewOne() async throws {
        let driver = try driver(
            answering: Self.response(
                """
                <struct><member><name>uuid</name><value>old</value></member><member><name>location</name>
                <value>place</value></member></struct>
                """))
        home.add(Volume(uuid: "old", location: "place", format: .raw, virtualSize: 4096, physicalSize: 10))
        for body: () async throws -> Void in [
            { _ = try await driver.createVolume(repository, NewVolume(uuid: "new", size: 4096)) },
            { _ = try await driver.snapshotVolume(repository, volume, as: NewVolume(uuid: "new")) },
            { _ = try await driver.cloneVolume(repository, volume, as: NewVolume(uuid: "new")) },
        ] {
            let error = await failure(body)
            #expect(error?.apiError?.dropFirst(2).first?.contains("is not new") == true, "\(String(describing: error))")
        }
    }

    @Test("a driver that tracks changed blocks is asked about them") func changedBlocksOfADriver() async throws {
        home.add(Volume(uuid: "vdi-uuid", location: "there", format: nil, virtualSize: 4096, physicalSize: 10))
        let quietly = try driver(answering: Self.response("<nil/>"))
        for (command, call) in [
            ("vdi_enable_cbt", { try await quietly.enableChangeTracking(repository, volume) }),
            ("vdi_disable_cbt", { try await quietly.disableChangeTracking(repository, volume) }),
            ("vdi_data_destroy", { _ = try await quietly.destroyVolumeData(repository, volume) }),
        ] as [(String, () async throws -> Void)] {
            try await call()
            #expect(try asked["command"] == .string(command) && asked["vdi_uuid"] == .string("vdi-uuid"))
        }
        let lister = try driver(answering: Self.response("<string>gA==</string>"))
        let later = VolumeID(location: "later", uuid: "other", ref: "OpaqueRef:later")
        #expect(try await lister.changedBlocks(repository, from: volume, to: later) == "gA==")
        #expect(try asked["args"] == .array([.string("OpaqueRef:later")]) && asked["vdi_uuid"] == .string("vdi-uuid"))
        let refuser = try driver(
            answering: Self.fault(460, "Failed to calculate changed blocks for given VDIs [opterr=unrelated]"))
        let error = await failure { _ = try await refuser.changedBlocks(repository, from: volume, to: later) }
        #expect(error?.fault.number == 460)
    }

    @Test("a probe and an introduction tell the driver what they are about") func places() async throws {
        let prober = try driver(answering: Self.response("<string>&lt;SRlist/&gt;</string>"))
        #expect(try await prober.probeDocument(["location": "/x"], smConfig: ["k": "v"]) == "<SRlist/>")
        #expect(try asked["sr_ref"] == nil && asked["sr_uuid"] == nil)
        #expect(try asked["sr_sm_config"] == .structure([WireMember("k", .string("v"))]))
        #expect(try asked["device_config"]?["location"] == .string("/x"))

        let answer = "<struct><member><name>uuid</name><value>u</value></member><member><name>location</name>"
        let introducer = try driver(answering: Self.response(answer + "<value>l</value></member></struct>"))
        let row = Volume(uuid: "u", location: "l", format: nil, virtualSize: 4096, physicalSize: 10)
        home.addInNextCall(row)
        #expect(try await introducer.introduceVolume(repository, uuid: "u", location: "l", smConfig: [:]) == row)
        #expect(try asked["new_uuid"] == .string("u") && asked["vdi_location"] == .string("l"))
        #expect(try asked["vdi_sm_config"] == .structure([]))
    }

    @Test(
        "an attached VDI is an NBD export or a path",
        arguments: [
            ("nbd:unix:/run/x:exportname=e", "/dev/x", VolumeAccess.nbd(socket: "/run/x", export: "e")),
            ("", "/dev/x", .image(path: "/dev/x", format: .raw)),
            ("", "dev/x", nil), ("", "", nil), ("nbd:tcp:1", "/dev/x", nil), ("nbd:unix:x:exportname=", "", nil),
        ])
    func attachment(_ export: String, _ path: String, _ access: VolumeAccess?) async throws {
        let driver = try driver(
            answering: Self.response(
                """
                <struct><member><name>params_nbd</name><value><string>\(export)</string></value></member>
                <member><name>params</name><value><string>\(path)</string></value></member>
                <member><name>o_direct</name><value><boolean>1</boolean></value></member></struct>
                """))
        guard let access else {
            let refused = await failure { _ = try await driver.attachVolume(repository, volume, writable: true) }
            #expect(refused?.apiError?.first == "SR_BACKEND_FAILURE")
            return
        }
        #expect(try await driver.attachVolume(repository, volume, writable: true) == access)
        #expect(try asked["args"] == .array([.string("true")]))
    }

    @Test("activation is asked for only where the driver offers it") func activation() async throws {
        let without = try driver(answering: Self.response("<nil/>"))
        try await without.activateVolume(repository, volume, writable: true)
        #expect(home.sessions.all == 0)
        let with = try driver(answering: Self.response("<nil/>"), features: ["VDI_ACTIVATE": 1])
        try await with.activateVolume(repository, volume, writable: true)
        #expect(try asked["command"] == .string("vdi_activate"))
    }

    @Test(
        "faults become the API's errors",
        arguments: [
            (38, ["UNIMPLEMENTED_IN_SM_BACKEND", "sr_attach"]), (16, ["SR_DEVICE_IN_USE"]),
            (24, ["VDI_IN_USE", "", "sr_attach"]), (39, nil), (144, nil), (79, nil), (1200, nil),
        ] as [(Int, [String]?)])
    func faultsBecomeErrors(_ code: Int, _ exact: [String]?) async throws {
        let driver = try driver(answering: Self.fault(code, "why &lt;so&gt;"))
        let error = try #require(await failure { try await driver.attach(repository) })
        #expect(error.fault.number == code && error.message == "why <so>" && error.details == "complaint\n")
        #expect(error.apiError == exact)
    }

    @Test(
        "what is no answer is SR_BACKEND_FAILURE with what the driver wrote",
        arguments: [
            ("echo out; echo err >&2; exit 3", "non-zero exit"), ("kill -KILL $$", "received signal: SIGKILL"),
            ("sleep 1000", "no answer within 0 s"), ("yes", "more than 1000 bytes of output"),
            ("echo '<!DOCTYPE x>'", "document types are not accepted"),
            ("printf '<methodResponse><params>'", "a param is due"), ("true", "open(\"methodResponse\") is due"),
        ])
    func whatIsNoAnswerIsABackendFailure(_ script: String, _ reason: String) async throws {
        // The others end by themselves, when the machine lets them.
        let time: Duration = script.hasPrefix("sleep") ? .milliseconds(900) : .seconds(60)
        let driver = try driver(script, limits: PluginLimits(time: time, output: 1000))
        let error = try #require(await failure { try await driver.attach(repository) })
        let exact = try #require(error.apiError)
        #expect(exact.count == 4 && exact[0] == "SR_BACKEND_FAILURE")
        #expect(exact[1].contains(reason))
        if script.hasPrefix("echo out") { #expect(exact[2...] == ["out\n", "err\n"]) }
        #expect(home.sessions.open == 0)
    }

    @Test("an answer of another type than the call's is SR_BACKEND_FAILURE") func wrongType() async throws {
        let driver = try driver(answering: Self.response("<struct></struct>"))
        let error = try #require(await failure { try await driver.attach(repository) })
        #expect(error.apiError?.count == 4)
        #expect(error.apiError?[2].hasPrefix("XML parse failure") == true)
    }
}
