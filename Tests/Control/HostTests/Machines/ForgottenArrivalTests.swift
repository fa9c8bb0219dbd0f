import APITypes
import CLinux
import CoreTypes
import Foundation
import Glibc
import Logging
import PoolDatabase
import StorageManagers
import StorageMotion
import TestSupport
import Testing

@testable import Guests
@testable import Toolstack

/// A running machine that comes from another pool, and that nobody wants any more: its QEMU waits here.
@Suite struct ForgottenArrivalTests {
    /// A machine with one disk, which is being filled, and the QEMU that waits for its guest.
    private struct Stage {
        let bench: StorageBench
        let guests: GuestHost
        let arrivals: Arrivals
        let id = Fresh.uuid()
        let uuid = Fresh.uuid()
        let secret = DepartureSurvey.secret()
        let guest: StubbornGuest

        init() async throws {
            bench = try await StorageBench([FileStorageManager()], program: try Tool.find("gantry-datapath"))
            guests = GuestHost(
                runDirectory: bench.folder.file("r"), acceleration: .tcg,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            let consoles = ConsoleAccess(database: bench.database, guests: guests, host: bench.context.host)
            arrivals = Arrivals(
                context: bench.context, guests: guests,
                lifecycle: MachineLifecycle(context: bench.context, guests: guests, consoles: consoles))
            let sr = try await bench.makeFolder("a")
            let offer = MoveOffer(
                id: id, uuid: uuid, isCopy: false, isForced: false, machine: "{}", drives: [], interfaces: [],
                disks: [
                    OfferedDisk(
                        vdi: "OpaqueRef:far", row: "{}", role: DiskToMove.Role.disk.rawValue, sr: sr.opaque,
                        choice: "raw", size: 1 << 20, format: "raw", leastBytes: 0)
                ], origin: "elsewhere")
            let body = Array(try JSONEncoder().encode(offer))
            let answer = await arrivals.answer("offer", id: id, secret: secret, body: body, hasSession: true)
            let reply = try JSONDecoder().decode(PeerReply<MoveAcceptance>.self, from: Data(answer))
            try #require(reply.error == nil, "\(reply.error ?? [])")
            // It runs, and its QEMU is none of this machine's.
            guest = try StubbornGuest(uuid, runDirectory: bench.folder.file("r"), waitingFor: id)
            let passport = GuestPassport(
                specification: GuestSpecification(
                    uuid: uuid, name: "g", memoryBytes: 64 << 20, vcpus: 1, boot: .disk, disks: []), ports: [:],
                hardware: GuestHardware.fresh(isAccelerated: false, hasScreen: false, memoryBytes: 64 << 20),
                isPaused: false)
            let text = try GuestDocument.encode(passport)
            try await change { $0.offer?.passport = text }
            _ = await guests.adoptAll()
            try #require(passage == .waiting)
        }

        var passage: GuestPassage? { guests.passage(of: uuid, owner: id) }
        var record: ArrivingMachine? { bench.database.arrivals().first }

        func change(_ body: @escaping @Sendable (inout ArrivingMachine) -> Void) async throws {
            try await bench.database.transaction { tx in
                guard var record = tx.arrivals().first else { return }
                body(&record)
                try tx.store(record)
            }
        }

        func ask(_ verb: String) async throws -> PeerReply<MoveStanding> {
            let answer = await arrivals.answer(verb, id: id, secret: secret, body: [], hasSession: false)
            return try JSONDecoder().decode(PeerReply<MoveStanding>.self, from: Data(answer))
        }

        /// As `forget` has noted it when it is killed then.
        func refuse() async throws {
            try await change { record in
                _ = record.state.take(.cancel)
                record.isClean = true
            }
        }
    }

    /// An administrator forgets it: whoever fills its disk is cut off, its QEMU ends, and the disk is here as one of the pool's.
    @Test func whatStillComesEndsWhenItIsForgotten() async throws {
        let stage = try await Stage()
        defer { stage.guest.kill() }
        let disk = try #require(stage.record?.disks.first)
        let socket = try await stage.arrivals.connect(id: stage.id, secret: stage.secret, disk: disk.uuid)
        defer { close(socket) }
        var bytes = [UInt8](repeating: 0, count: 64)
        func hear() -> Int64 {
            // SAFETY: receives into the array's own storage, at most its count.
            unsafe bytes.withUnsafeMutableBytes { unsafe gantry_receive(socket, $0.baseAddress, $0.count) }
        }
        #expect(hear() > 0)

        try await stage.arrivals.decide(stage.id, .forget)
        #expect(stage.passage == nil && stage.guests.state(stage.uuid) == nil)
        // The data path has ended, and with it what was still under way.
        while hear() > 0 {}
        let word = Array("what comes late".utf8)
        // SAFETY: sends from the array's own storage.
        let sent = unsafe word.withUnsafeBytes { unsafe gantry_send(socket, $0.baseAddress, $0.count) }
        let isSent = sent == Int64(word.count)
        #expect(!isSent || hear() <= 0)
        await #expect(throws: APIError.self) {
            _ = try await stage.arrivals.connect(id: stage.id, secret: stage.secret, disk: disk.uuid)
        }
        await #expect(throws: APIError.self) {
            _ = try await stage.arrivals.connectMemory(id: stage.id, secret: stage.secret)
        }
        #expect(stage.record?.state.phase == .refused && stage.record?.isClean == true)
        let row = try #require(stage.bench.database.read { $0.row(Ref<VDI>(disk.ref)) })
        #expect(row[VDI.currentOperations].isEmpty && row[VDI.managed])
        #expect(FileManager.default.fileExists(atPath: stage.bench.folder.file("a/" + disk.location)))
        // The other side hears so, whatever it asks, and may forget it.
        #expect(try await stage.ask("prepare").value?.answer == "refused")
        #expect(try await stage.ask("forget").value?.answer == "forgotten")
        #expect(stage.record == nil)
    }

    enum Whoever: String, CaseIterable {
        case starts, retries, forgets, decides
    }

    /// A toolstack that was killed when it had noted that the guest does not come, and before the QEMU was ended that waits for it: the
    /// next one ends that, and no move is forgotten before.
    @Test(arguments: Whoever.allCases) func aQEMUThatWaitsInVainEnds(_ whoever: Whoever) async throws {
        let stage = try await Stage()
        defer { stage.guest.kill() }
        try await stage.refuse()
        switch whoever {
        case .starts:
            // Nobody's calls wait for it.
            await stage.arrivals.resume()
            try await reach("its QEMU is gone", atMost: .seconds(30)) {
                stage.passage == nil && stage.guests.state(stage.uuid) == nil
            }
        case .retries:
            try await reach("its QEMU is gone", atMost: .seconds(30)) {
                await stage.arrivals.retry()
                return stage.passage == nil
            }
        case .forgets: #expect(try await stage.ask("forget").value?.answer == "forgotten")
        case .decides: try await stage.arrivals.decide(stage.id, .forget)
        }
        #expect(stage.passage == nil && stage.guests.state(stage.uuid) == nil)
        #expect((stage.record == nil) == [.forgets, .decides].contains(whoever))
    }
}
