import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// What becomes of disks of other makers' sources that are silent, begin again, or are at their end.
@Suite struct ReceivedEndsTests {
    private struct Bench {
        let bench: StorageBench
        let received: ReceivedDisks
        let srUUID: String

        init(turns: DiskTurns = DiskTurns()) async throws {
            bench = try await StorageBench([FileStorageManager()])
            srUUID = try bench.context.row(try await bench.makeFolder("a"))[SR.uuid]
            received = ReceivedDisks(context: bench.context, turns: turns)
        }

        /// The failure's name and texts; empty when there is none.
        @discardableResult
        func call(
            _ name: String, _ members: [WireMember], by session: String = "OpaqueRef:over"
        ) async throws -> [String] {
            let call = RPCCall(name, [.structure([WireMember("sr", .string(srUUID))] + members)])
            let answer = try XMLRPC.decodeReply(await received.answer(call, session: Ref(session)))
            if case .failure(let told) = answer { return told }
            return []
        }

        static func described(_ label: String, contentID: String = "") -> WireValue {
            .structure([
                WireMember("vdi", .string("v")), WireMember("name_label", .string(label)),
                WireMember("virtual_size", .string("1048576")), WireMember("content_id", .string(contentID)),
            ])
        }

        /// A mirror begins; the label is its name.
        @discardableResult
        func start(
            _ mirror: String, label: String? = nil, by session: String = "OpaqueRef:over"
        ) async throws -> [String] {
            try await call(
                "DATA.MIRROR.receive_start",
                [
                    WireMember("id", .string(mirror)), WireMember("vdi_info", Self.described(label ?? mirror)),
                    WireMember("similar", .array([])),
                ], by: session)
        }

        func openSession() async throws -> String {
            let session = Fresh.ref(Session.self)
            try await bench.database.transaction { tx in tx.insert(Session.self, ref: session) { _ in } }
            return session.opaque
        }

        /// Changes the records of the mirror, and gives the disk to a machine.
        func change(_ mirror: String, isDriven: Bool = false, _ body: (inout ReceivedDisk) -> Void) async throws {
            for var record in bench.database.read({ $0.receivedDisks() }) where record.mirror == mirror {
                body(&record)
                let changed = record
                try await bench.database.transaction { tx in
                    try tx.store(changed)
                    if !isDriven { return }
                    tx.insert(VBD.self, ref: Fresh.ref(VBD.self)) { row in
                        row[VBD.vdi] = Ref(changed.ref)
                        row[VBD.vm] = Self.machine
                    }
                }
            }
        }

        static let machine = Ref<VM>("OpaqueRef:machine")

        func sweep() async { for end in await received.sweep() { await end.value } }

        /// Of the one disk that there is.
        var place: String { bench.database.read { $0.receivedDisks() }.first?.location ?? "" }

        var labels: [String] { bench.disks().map { $0[VDI.nameLabel] }.sorted() }
    }

    /// Two mirrors whose source is silent for ever; the machine of one has come.
    @Test func whatIsAbandonedIsRemovedUnlessAMachineHasIt() async throws {
        let at = try await Bench()
        try await at.start("one")
        try await at.start("other")
        await at.sweep()
        #expect(at.labels == ["one", "other"])
        try await at.change("one") { $0.lastCall = 0 }
        try await at.change("other", isDriven: true) { $0.lastCall = 0 }
        await at.sweep()
        #expect(at.labels == ["other"])
        let left = at.bench.disks()
        #expect(left.allSatisfy { $0[VDI.smConfig]["base_mirror"] == nil && $0[VDI.currentOperations].isEmpty })
        // Whoever looks at it later sees that nobody said that it is whole; so does a source that asks after all.
        #expect(left.allSatisfy { $0[VDI.otherConfig][ReceivedDisks.doubtKey] != nil })
        await #expect(throws: APIError.self) { try await at.received.complete(Bench.machine) }
        #expect(at.bench.database.read { $0.receivedDisks() }.isEmpty)
        let files = try FileManager.default.contentsOfDirectory(atPath: at.bench.folder.file("a"))
        #expect(files.filter { name in left.contains { $0[VDI.location] == name } }.count == 1)
        #expect(files.count { $0.hasSuffix(".vhd") || $0.hasSuffix(".qcow2") || $0.hasSuffix(".raw") } == 1)
        try await at.bench.database.close()
    }

    /// After a restart, or a call that failed whose answer nobody looked at.
    @Test func whatIsCompleteIsFinishedWithoutAnotherCall() async throws {
        let at = try await Bench()
        try await at.start("one")
        try await at.start("other")
        for mirror in ["one", "other"] {
            try await at.change(mirror, isDriven: mirror == "one") { record in
                (record.isFinalized, record.isComposed, record.contentID, record.links) = (true, true, "c", [:])
            }
        }
        await at.sweep()
        // Without a machine the other side has given it up, or may call yet.
        #expect(at.bench.database.read { $0.receivedDisks() }.map(\.mirror) == ["other"])
        #expect(at.labels == ["one", "other"])
        #expect(at.bench.disks().allSatisfy { $0[VDI.otherConfig][ReceivedDisks.doubtKey] == nil })
        try await at.received.complete(Bench.machine)
        try await at.bench.database.close()
    }

    @Test func theLastCallFinishesOrRefuses() async throws {
        let at = try await Bench()
        try await at.start("one")
        try await at.change("one", isDriven: true) { _ in }
        await #expect(throws: APIError.self) { try await at.received.complete(Bench.machine) }
        try await at.change("one") { record in
            (record.isFinalized, record.isComposed, record.contentID, record.links) = (true, true, "c", [:])
        }
        try await at.received.complete(Bench.machine)
        #expect(at.bench.database.read { $0.receivedDisks() }.isEmpty && at.labels == ["one"])
        try await at.bench.database.close()
    }

    @Test func aMirrorThatBeginsAgainLeavesWhatAMachineHas() async throws {
        let at = try await Bench()
        try await at.start("one", label: "first")
        try await at.start("one", label: "second")
        #expect(at.labels == ["second"])
        try await at.change("one", isDriven: true) { _ in }
        try await at.start("one", label: "third")
        #expect(at.labels == ["second", "third"])
        try await at.call("DATA.MIRROR.receive_cancel", [WireMember("id", .string("one"))])
        #expect(at.labels == ["second"])
        try await at.bench.database.close()
    }

    /// Sources do not ask again.
    @Test func whatIsGivenUpWhileSomethingIsDoneWithItGoesLater() async throws {
        let turns = DiskTurns(patience: .milliseconds(1))
        let at = try await Bench(turns: turns)
        try await at.start("one")
        let id = try #require(at.bench.database.read { $0.receivedDisks() }.first).id
        try await turns.enter(id)
        let told = try await at.call("DATA.MIRROR.receive_cancel", [WireMember("id", .string("one"))])
        #expect(told.first == "Internal_error")
        await at.sweep()
        #expect(at.labels == ["one"])
        turns.leave(id)
        await at.sweep()
        #expect(at.labels.isEmpty)
        try await at.bench.database.close()
    }

    /// A source that was restarted goes on by another session: what it copies, without a call, is its own, and its connection counts.
    /// One whose session is over stays what it was.
    @Test(arguments: ["VDI.attach2", "VDI.activate"])
    func whoGoesOnWithADiskHasIt(_ name: String) async throws {
        let at = try await Bench()
        let session = try await at.openSession()
        try await at.start("one")
        try await at.start("other")
        for mirror in ["one", "other"] {
            let record = try #require(at.bench.database.read { $0.receivedDisks() }.first { $0.mirror == mirror })
            let datapath = try #require(record.leafDatapath)
            let told = try await at.call(
                name, [WireMember("dp", .string(datapath)), WireMember("vdi", .string(record.location))],
                by: mirror == "one" ? session : "OpaqueRef:over")
            #expect(told.isEmpty)
            await at.received.pretend(connections: 1, lastSeen: 0, of: record.id)
            try await at.change(mirror) { $0.lastCall = 0 }
        }
        await at.sweep()
        #expect(at.labels == ["one"])
        try await at.bench.database.close()
    }

    /// Who made a disk does not lose it to another one that has called and is over; who only looked at one has no part in it.
    @Test func nobodyTakesADiskFromItsMaker() async throws {
        let at = try await Bench()
        let session = try await at.openSession()
        try await at.start("made", by: session)
        try await at.start("seen")
        for (mirror, names, caller) in [
            ("made", ["VDI.stat", "VDI.attach2", "VDI.activate"], "OpaqueRef:over"),
            ("seen", ["VDI.stat", "VDI.get_by_name", "VDI.similar_content", "DP.attach_info"], session),
        ] {
            let record = try #require(at.bench.database.read { $0.receivedDisks() }.first { $0.mirror == mirror })
            let datapath = try #require(record.leafDatapath)
            for name in names {
                let told = try await at.call(
                    name,
                    [
                        WireMember("dp", .string(datapath)), WireMember("vdi", .string(record.location)),
                        WireMember("name", .string(record.location)),
                    ], by: caller)
                #expect(told.isEmpty, "\(name)")
            }
            await at.received.pretend(connections: 1, lastSeen: 0, of: record.id)
            try await at.change(mirror) { $0.lastCall = 0 }
        }
        await at.sweep()
        #expect(at.labels == ["made"])
        try await at.bench.database.close()
    }

    /// Whoever waited for what another did with a disk finds it gone: that is no machine which is whole.
    @Test func aDiskThatIsGoneIsNotOneOfThePools() async throws {
        let at = try await Bench()
        try await at.start("one")
        try await at.change("one", isDriven: true) { record in
            (record.isFinalized, record.isComposed, record.contentID, record.links) = (true, true, "c", [:])
        }
        let gone = try #require(at.bench.database.read { $0.receivedDisks() }.first)
        try await at.bench.database.transaction { tx in
            tx.delete(Ref<VDI>(gone.ref))
            tx.forget(gone)
        }
        await #expect(throws: APIError.self) { try await at.received.complete(Bench.machine) }
        try await at.bench.database.close()
    }

    @Test func aRestartGivesSourcesTheirTimeAgain() async throws {
        let at = try await Bench()
        try await at.start("one")
        try await at.change("one") { $0.lastCall = 0 }
        await at.received.resume()
        await at.sweep()
        #expect(at.labels == ["one"])
        try await at.bench.database.close()
    }

    @Test func namesAreShort() async throws {
        let at = try await Bench()
        let long = String(repeating: "x", count: 1025)
        #expect(try await at.start(long).first == "Internal_error")
        #expect(try await at.start("m", label: long).first == "Internal_error")
        #expect(at.labels.isEmpty)
        try await at.bench.database.close()
    }

    /// Latest sources make the parent when the leaf is active; a leaf that is not is left of an earlier try.
    @Test func aStaleLeafIsNoLeafOfTheNextTry() async throws {
        let at = try await Bench()
        let marked = WireValue.structure([
            WireMember("vdi", .string("v")), WireMember("name_label", .string("leaf")),
            WireMember("virtual_size", .string("1048576")),
            WireMember("sm_config", .structure([WireMember("base_mirror", .string("m"))])),
        ])
        func record() -> ReceivedDisk? { at.bench.database.read { $0.receivedDisks() }.first }
        #expect(try await at.call("VDI.create", [WireMember("vdi_info", marked)]).isEmpty)
        let first = try #require(record())
        try await at.change("m") { $0.dummy = "d" }
        #expect(try await at.call("VDI.create", [WireMember("vdi_info", marked)]).isEmpty)
        let second = try #require(record())
        #expect(second.id != first.id && second.parent == nil && at.labels == ["leaf"])
        try await at.change("m") { record in
            record.dummy = "d"
            record.links["dp"] = ReceivedDisk.Link(place: record.location, isActive: true)
        }
        // Whoever else calls for it meanwhile does not make it another one's.
        for name in ["VDI.stat", "VDI.activate"] {
            let members = [WireMember("dp", .string("dp")), WireMember("vdi", .string(second.location))]
            #expect(try await at.call(name, members, by: "OpaqueRef:other").isEmpty)
        }
        #expect(try await at.call("VDI.create", [WireMember("vdi_info", marked)]).isEmpty)
        #expect(record()?.id == second.id && record()?.parent != nil)
        try await at.bench.database.close()
    }

    @Test func whoComesSecondWaits() async throws {
        let turns = DiskTurns(patience: .seconds(3600), most: 1)
        try await turns.enter("d")
        try await turns.enter("other")
        // Whichever of the two comes first waits; there is no room for the other one.
        let both = [Task { try await turns.enter("d") }, Task { try await turns.enter("d") }]
        await withTaskGroup(of: Bool.self) { group in
            for task in both {
                group.addTask {
                    do { try await task.value } catch { return false }
                    return true
                }
            }
            #expect(await group.next() == false)
            turns.leave("d")
            #expect(await group.next() == true)
        }
        #expect(turns.isTaken("d"))
        turns.leave("d")
        #expect(!turns.isTaken("d") && turns.isTaken("other"))
    }

    @Test func nobodyWaitsForEver() async throws {
        let turns = DiskTurns(patience: .milliseconds(1))
        try await turns.enter("d")
        await #expect(throws: StorageLayerError.self) { try await turns.enter("d") }
        #expect(turns.isTaken("d"))
        turns.leave("d")
        #expect(!turns.isTaken("d"))
        try await turns.enter("d")
    }
}

extension ReceivedDisks {
    /// As if so many clients were connected, and nobody had been heard of since.
    func pretend(connections count: Int, lastSeen seconds: Int64, of id: String) {
        connections[id] = count
        lastSeen[id] = seconds
    }
}
