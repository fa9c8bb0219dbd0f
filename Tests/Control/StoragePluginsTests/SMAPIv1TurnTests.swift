import Foundation
import RPCCodec
import StorageInterface
import TestSupport
import Testing

@testable import StoragePlugins

// Which runs of drivers wait for which.
extension SMAPIv1Tests {
    @Test("a VDI's driver is told who it is for") func whatTheCreatorWants() async throws {
        let answer = "<struct><member><name>uuid</name><value>new</value></member><member><name>location</name>"
        let driver = try driver(answering: Self.response(answer + "<value>place</value></member></struct>"))
        home.addInNextCall(Volume(uuid: "new", location: "place", format: nil, virtualSize: 4096, physicalSize: 10))
        var wanted = NewVolume(uuid: "ignored", size: 4096)
        (wanted.metadataOfPool, wanted.isReadOnly) = ("OpaqueRef:pool", true)
        _ = try await driver.createVolume(repository, wanted)
        guard case .array(let arguments)? = try asked["args"], arguments.count == 8 else {
            Issue.record("no args")
            return
        }
        #expect(arguments[3] == .string("OpaqueRef:pool") && arguments[7] == .string("true"))
    }

    @Test("no driver works before what an earlier toolstack's runs were doing is over")
    func driversWaitForTheRunsOfAKilledToolstack() async throws {
        let log = scratch.file("log")
        try "".write(toFile: log, atomically: false, encoding: .utf8)
        try Self.response("<nil/>").write(toFile: scratch.file("answer"), atomically: true, encoding: .utf8)
        let driver = try driver("echo ran >> \(log); cat \(scratch.file("answer"))")
        home.whileNotAnswering {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            #expect((try? (text + "waited\n").write(toFile: log, atomically: false, encoding: .utf8)) != nil)
        }
        try await driver.attach(repository)
        _ = try await driver.scan(repository)
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "waited\nran\nwaited\nran\n")
    }

    @Test("attaching, detaching and probing of all drivers of a host come one after the other, and nothing else")
    func whatTouchesTheHostTakesTurns() async throws {
        let (log, gate) = (scratch.file("log"), scratch.file("gate"))
        try Self.description.write(toFile: scratch.file("description"), atomically: true, encoding: .utf8)
        try Self.response("<nil/>").write(toFile: scratch.file("answer"), atomically: true, encoding: .utf8)
        try Self.response("<string>&lt;SRlist/&gt;</string>").write(
            toFile: scratch.file("probed"), atomically: true, encoding: .utf8)
        try Tool.check("mkfifo", [gate])
        // The first holds its turn until the test lets go of it, and a little longer: whoever does not wait comes between.
        let first = "*sr_attach*) echo begin >> \(log); read line < \(gate); sleep 0.2; echo end >> \(log);;"
        let second = "*sr_scan*) ;; *) echo second >> \(log);;"
        for (name, work) in [("ASR", first), ("BSR", second)] {
            _ = try install(
                name,
                """
                case "$1" in *sr_get_driver_info*) exec cat \(scratch.file("description"));; \(work) esac
                case "$1" in *sr_probe*) exec cat \(scratch.file("probed"));; esac
                exec cat \(scratch.file("answer"))
                """)
        }
        let folders = DriverFolders(
            folders: [scratch.path], settings: PluginSettings(), home: home, logger: quiet)
        let found = await folders.look().found.sorted { $0.info.type < $1.info.type }
        let (one, other) = (try #require(found.first), try #require(found.last))
        let repository = repository
        func text() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        let holder = Task { try await one.attach(repository) }
        while text() != "begin\n" { try await Task.sleep(for: .milliseconds(2)) }
        let waiting = [
            Task { try await other.attach(repository) }, Task { try await other.detach(repository) },
            Task { _ = try await other.probeDocument([:], smConfig: [:]) },
        ]
        // Each has its session, and is about to run or waits for its turn.
        while home.sessions.open < 4 { try await Task.sleep(for: .milliseconds(2)) }
        _ = try await other.scan(repository)
        #expect(text() == "begin\n")
        try Tool.check("sh", ["-c", "echo go > \(gate)"])
        try await holder.value
        for task in waiting { try await task.value }
        #expect(text() == "begin\nend\nsecond\nsecond\nsecond\n")
    }
}
