import CLinux
import Foundation
import GuestFixture
import Synchronization
import TestSupport
import Testing

@testable import Guests

/// Guests that go from one QEMU to another, two hosts with a folder each. Emulated, so that every machine runs the same test.
@Suite(.serialized) struct GuestPassageTests {
    /// The two ends of a connection, each closed once.
    private final class Stream: Sendable {
        let near: Int32
        let far: Int32
        init() throws {
            var ends: [Int32] = [-1, -1]
            // SAFETY: socketpair fills the two elements.
            guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
                throw GuestError.system("make a pair of sockets", -gantry_errno())
            }
            (near, far) = (ends[0], ends[1])
        }
        deinit {
            close(near)
            close(far)
        }
    }

    private struct Stage {
        let folder: ScratchFolder
        let uuid = UUID().uuidString.lowercased()
        let files: GuestFiles

        init() throws {
            folder = try ScratchFolder("p")
            for name in ["a", "b"] {
                try FileManager.default.createDirectory(
                    atPath: folder.file(name), withIntermediateDirectories: true)
            }
            files = try GuestFiles.make()
        }

        func host(_ name: String) -> GuestHost {
            GuestHost(
                runDirectory: folder.file(name), acceleration: .tcg,
                bootFiles: BootFiles(folders: [GuestFiles.folder]), logger: GuestHost.silent)
        }

        func specification(_ work: GuestFiles.Work, _ disks: [GuestDisk] = []) -> GuestSpecification {
            GuestSpecification(
                uuid: uuid, name: "on its way", memoryBytes: 96 << 20, vcpus: 1,
                boot: .kernel(
                    kernel: files.kernel, initrd: files.initrd, arguments: GuestFiles.arguments(work, slots: 16)),
                disks: disks)
        }

        func expectNothingLeft() throws {
            for name in ["a", "b"] {
                let left = try? FileManager.default.contentsOfDirectory(atPath: folder.file(name) + "/guests")
                #expect(left ?? [] == [])
            }
        }
    }

    /// Memory goes slowly: the sending lasts until it is told otherwise.
    private let slow = MemoryTransferLimits(bytesPerSecond: 20_000, downtime: .milliseconds(1))

    private func kill(_ host: GuestHost, _ uuid: String) async throws {
        let guest = try host.find(uuid)
        guest.monitor.kill()
        #expect(await guest.monitor.ended(within: .seconds(60)))
    }

    private func connect(
        _ a: GuestHost, _ b: GuestHost, _ uuid: String, limits: MemoryTransferLimits = .init()
    ) async throws {
        try await b.startReceiving(try await a.passport(of: uuid))
        #expect(b.passage(of: uuid) == .waiting)
        let stream = try Stream()
        try await b.receive(uuid, from: stream.far)
        try await a.send(uuid, into: stream.near, limits: limits)
    }

    private func expectFailure(_ code: GuestError.Code, _ body: () async throws -> Void) async {
        await #expect { try await body() } throws: { ($0 as? GuestError)?.code == code }
    }

    /// The guest writes and checks its disk through all of it; the disk's server is the same for both hosts.
    @Test func aRunningGuestSurvivesEveryFailureOfTheOtherSideAndGoesOverWithItsData() async throws {
        let stage = try Stage()
        let image = stage.folder.file("disk.img")
        try Tool.check("truncate", ["-s", "20M", image])
        let export = try await NBDExport(file: image, socket: stage.folder.file("disk.sock"))
        let disk = GuestDisk(id: "here", nbdSocket: export.socket, exportName: NBDExport.exportName, position: 2)
        var a: GuestHost? = stage.host("a")
        var b: GuestHost? = stage.host("b")
        func one() throws -> GuestHost { try #require(a) }
        func other() throws -> GuestHost { try #require(b) }
        let uuid = stage.uuid
        try await one().start(stage.specification(.raw, [disk]))
        let console = try ConsoleReader(path: one().consolePath(uuid))
        try await console.waitFor(writes: 5)

        // Cancelled on the way. Meanwhile nothing of the guest can be changed.
        try await connect(one(), other(), uuid, limits: slow)
        #expect(try one().passage(of: uuid) == .sending)
        await expectFailure(.refused) { try await one().pause(uuid) }
        // It would end there.
        await expectFailure(.refused) { try await one().cleanShutdown(uuid) }
        await expectFailure(.refused) { try await one().unplug(diskID: "here", from: uuid) }
        await expectFailure(.refused) { try await one().send(uuid, into: 0) }
        // QEMU has numbers once it has begun.
        while try await one().transfer(of: uuid).status == "setup" { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await one().transfer(of: uuid).totalBytes > 96 << 20)
        try await one().cancelSending(uuid)
        #expect(try one().passage(of: uuid) == nil && one().state(uuid) == .running)
        await expectFailure(.transferFailed) { try await other().received(uuid) }
        #expect(try other().state(uuid) == nil)
        try await console.waitFor(moreWrites: 2)

        // A reader that ends, and one that ends when the guest stands.
        do {
            let stream = try Stream()
            try await one().send(uuid, into: stream.near, limits: slow)
            shutdown(stream.far, Int32(SHUT_RDWR))
            await expectFailure(.transferFailed) { try await one().switchover(of: uuid) }
        }
        try await connect(one(), other(), uuid)
        try await one().switchover(of: uuid)
        try await kill(other(), uuid)
        await expectFailure(.transferFailed) { try await one().handOver(uuid) }
        #expect(try one().passage(of: uuid) == nil && one().state(uuid) == .running)
        try await console.waitFor(moreWrites: 2)

        // Given up when it stands: by the next daemon.
        try await connect(one(), other(), uuid)
        try await one().switchover(of: uuid)
        a = nil
        a = stage.host("a")
        #expect(await a?.adoptAll() == [uuid: .running])
        #expect(try one().passage(of: uuid) == .atSwitchover)
        try await one().cancelSending(uuid)
        await expectFailure(.transferFailed) { try await other().received(uuid) }
        try await console.waitFor(moreWrites: 2)

        // The other side ends when it has everything: the guest is held here, and goes on.
        try await connect(one(), other(), uuid)
        try await one().switchover(of: uuid)
        try await one().handOver(uuid)
        try await other().received(uuid)
        await expectFailure(.refused) { try await one().cancelSending(uuid) }
        await expectFailure(.refused) { try await one().unpause(uuid) }
        try await kill(other(), uuid)
        try await one().resumeHeld(uuid)
        #expect(try one().passage(of: uuid) == nil && one().state(uuid) == .running)
        try await console.waitFor(moreWrites: 2)

        // It goes over, each daemon new at each step.
        var passport = try await one().passport(of: uuid)
        try passport.replace(disk: "here", with: "there", socket: export.socket, exportName: NBDExport.exportName)
        try await other().startReceiving(passport)
        b = nil
        b = stage.host("b")
        #expect(await b?.adoptAll() == [uuid: .starting])
        #expect(try other().passage(of: uuid) == .waiting)
        do {
            let stream = try Stream()
            try await other().receive(uuid, from: stream.far)
            try await one().send(uuid, into: stream.near)
        }
        try await one().switchover(of: uuid)
        try await one().handOver(uuid)
        try await other().received(uuid)
        (a, b) = (nil, nil)
        (a, b) = (stage.host("a"), stage.host("b"))
        #expect(await a?.adoptAll() == [uuid: .running])
        #expect(await b?.adoptAll() == [uuid: .starting])
        #expect(try one().passage(of: uuid) == .held && other().passage(of: uuid) == .loaded)
        await expectFailure(.refused) { try await one().dismiss(uuid) }
        await expectFailure(.refused) { try await other().endHeld(uuid) }
        let there = try ConsoleReader(path: other().consolePath(uuid))
        try await other().takeOver(uuid)
        #expect(try other().state(uuid) == .running && other().passage(of: uuid) == nil)
        #expect(try other().specification(uuid)?.disks.map(\.id) == ["there"])
        try await one().endHeld(uuid)
        #expect(try one().state(uuid) == nil)
        // All records read back as they were written, over there.
        let counts = try await there.verify()
        #expect(counts.isClean && counts.verified > 0, "\(there.lines.suffix(10))")
        try await there.waitFor(moreWrites: 2)
        b = nil
        b = stage.host("b")
        #expect(await b?.adoptAll() == [uuid: .running])
        try await other().hardShutdown(uuid)
        try stage.expectNothingLeft()
    }

    /// Whoever is told of a QEMU's end, or asks for it at that moment, finds nothing left of it.
    @Test func theEndOfAQEMUIsToldWhenNothingIsLeftOfIt() throws {
        let stage = try Stage()
        let folder = try GuestFolder(runDirectory: stage.folder.file("a"), uuid: stage.uuid)
        try folder.make()
        var record = GuestRecord(specification: stage.specification(.idle), ports: [:])
        record.pid = getpid()
        record.role = .incoming
        let isTold = { @Sendable (guest: Guest) in guest.state.withLock { $0.ended } != nil }
        let guest = try Guest(record: record, folder: folder, report: { _ in }) { guest, reason in
            #expect(!isTold(guest) && reason == nil)
        }
        _ = guest.qemuEnded(status: nil)
        #expect(isTold(guest))
        try stage.expectNothingLeft()
    }

    /// The QEMU that the guest leaves ends at each step. Its guest has not run an instruction: what counts is who has it.
    @Test(arguments: [GuestPassage.sending, .atSwitchover, .held])
    func theEndOfTheQEMUThatAGuestLeavesLeavesAtMostOneGuest(_ passage: GuestPassage) async throws {
        let stage = try Stage()
        let (a, uuid) = (stage.host("a"), stage.uuid)
        var b = stage.host("b")
        try await a.start(stage.specification(.idle), paused: true)
        try await connect(a, b, uuid, limits: passage == .sending ? slow : .init())
        if passage != .sending { try await a.switchover(of: uuid) }
        if passage == .held {
            try await a.handOver(uuid)
            try await b.received(uuid)
        }
        #expect(a.passage(of: uuid) == passage)
        // A disk is not taken from it meanwhile, whatever the guest does.
        await expectFailure(.refused) { try await a.cutOff(diskID: "any", from: uuid) }
        // By itself, or because it is known to be elsewhere.
        if passage == .atSwitchover { try await a.endAbandoned(uuid) } else { try await kill(a, uuid) }
        try await a.endAbandoned(uuid)
        #expect(a.state(uuid) == nil)
        if passage == .held {
            // All of it is there: it runs when it is told to, and stays paused as it was.
            try await b.takeOver(uuid)
            #expect(b.state(uuid) == .paused)
            let console = try ConsoleReader(path: b.consolePath(uuid))
            b = stage.host("b")
            #expect(await b.adoptAll() == [uuid: .paused])
            try await b.unpause(uuid)
            try await console.waitFor(line: "GANTRY READY")
            try await b.hardShutdown(uuid)
        } else {
            await expectFailure(.transferFailed) { try await b.received(uuid) }
            #expect(b.state(uuid) == nil)
        }
        try stage.expectNothingLeft()
    }

    @Test func whatThisHostCannotGoOnWithIsRefusedBeforeAnythingIsStarted() async throws {
        let stage = try Stage()
        let a = stage.host("a")
        let here = GuestHardware(machine: "pc-q35-7.2", processor: "Nehalem", isAccelerated: false, hasScreen: true)
        func passport(_ change: (inout GuestHardware) -> Void = { _ in }) -> GuestPassport {
            var hardware = here
            change(&hardware)
            return GuestPassport(
                specification: stage.specification(.idle), ports: [:], hardware: hardware, isPaused: false)
        }
        for (change, text) in [
            ({ $0.machine = "pc-q35-99.0" }, "must be as new"), ({ $0.machine = "microvm" }, "only pc-q35"),
            ({ $0.isAccelerated = true }, "KVM"),
        ] as [((inout GuestHardware) -> Void, String)] {
            await #expect { try await a.startReceiving(passport(change)) } throws: {
                ($0 as? GuestError)?.code == .incompatible && "\($0)".contains(text)
            }
        }
        for change in [{ $0.machine = "q35,x=y" }, { $0.processor = "" }] as [(inout GuestHardware) -> Void] {
            await expectFailure(.invalidSpecification) { try await a.startReceiving(passport(change)) }
        }
        // A stream that is none ends its QEMU, and nothing is left.
        try await a.startReceiving(passport())
        let stream = try Stream()
        _ = unsafe "no memory of anybody".withCString { unsafe gantry_send(stream.near, $0, 20) }
        try await a.receive(stage.uuid, from: stream.far)
        await expectFailure(.transferFailed) { try await a.received(stage.uuid) }
        // One that never comes.
        try await a.startReceiving(passport())
        try await a.dismiss(stage.uuid)
        #expect(a.state(stage.uuid) == nil)
        try stage.expectNothingLeft()
    }
}
