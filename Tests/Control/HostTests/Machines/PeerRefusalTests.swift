import APITypes
import PoolDatabase
import StorageMotion
import Testing

@testable import Toolstack

/// What a move to another pool is refused with, by what is known of that.
@Suite struct PeerRefusalTests {
    /// A server that has no such path, or no time, does not deny a right.
    @Test func whatAnHTTPStatusMeans() {
        func code(_ status: Int) -> [String] {
            PeerLink.refusal(status, of: "check", by: "far", session: "s").wire
        }
        #expect(code(401) == ["SESSION_INVALID", "s"])
        #expect(code(403).first == "PERMISSION_DENIED")
        for status in [404, 405, 501] { #expect(code(status).first == "NOT_IMPLEMENTED", "\(status)") }
        for status in [429, 500, 502, 503] { #expect(code(status) == ["CANNOT_CONTACT_HOST", "far"], "\(status)") }
    }

    /// Clients take SESSION_INVALID for word of their own session, and log in again.
    @Test func aTokenThatIsOverIsNotTakenForTheCallersSession() throws {
        let told = MigrationTokens.told(APIError("SESSION_INVALID", "s"), by: "far") as? APIError
        let wire = try #require(told?.wire)
        #expect(wire.prefix(2) == ["INVALID_VALUE", "dest"] && wire.count == 3)
        #expect(wire[2].contains("far") && wire[2].contains("host.migrate_receive"))
        #expect((MigrationTokens.told(APIError("HOST_DISABLED", "h"), by: "far") as? APIError)?.code == "HOST_DISABLED")
        #expect(MigrationTokens.told(CancellationError(), by: "far") is CancellationError)
    }

    /// Whoever asks: both toolstacks enter the same line first, also those of a pool and of one that was restored from its dump.
    @Test func twoToolstacksAgreeWhoseLineComesFirst() {
        let owners = [("a", "g"), ("a", "h"), ("b", "g"), ("b", "h")].map { PeerLine.Owner(pool: $0.0, host: $0.1) }
        for (index, one) in owners.enumerated() {
            for other in owners[..<index] {
                #expect(PeerLine.isFirst(one, before: other) != PeerLine.isFirst(other, before: one))
                #expect(PeerLine.isFirst(other, before: one))
            }
        }
        #expect(!PeerLine.isFirst(PeerLine.Owner(pool: nil, host: "a"), before: owners[0]))
    }

    /// As in XenAPI: the option's word, in its three spellings, else the pool's.
    @Test func memoryIsCompressedWhereTheOptionOrThePoolSaysSo() async throws {
        let bench = try await StorageBench([])
        let pool = try #require(bench.database.read { $0.rows(Pool.self).first }).typedRef(Pool.self)
        for isDefault in [false, true] {
            try await bench.database.transaction { try $0.set(pool, Pool.migrationCompression, isDefault) }
            func compresses(_ options: [String: String]) -> Bool {
                bench.database.read { MachineMove.compresses(options, $0) }
            }
            #expect(compresses([:]) == isDefault && compresses(["copy": "true"]) == isDefault)
            for word in ["true", "on", "1", "True"] { #expect(compresses(["compress": word]), "\(word)") }
            for word in ["false", "off", "0"] { #expect(!compresses(["compress": word]), "\(word)") }
        }
        let move = MachineMove(
            vm: .null, destination: [:], disks: [:], networks: [:], options: ["compress": "zstd"], formats: [:])
        #expect(throws: APIError("INVALID_VALUE", "compress", "zstd")) { try move.checkWords() }
    }

    @Test func theLatestForgottenMovesAreKnown() {
        var moves = ForgottenMoves(limit: 3)
        for id in ["a", "b", "a", "c", "d", "e", "f", "g"] { moves.insert(id) }
        #expect(["a", "b", "c", "d", "e", "f", "g"].filter(moves.contains) == ["e", "f", "g"])
    }

    @Test func theOlderOfTwoHostsIsTheOneWithTheLesserNumbers() {
        func isOlder(_ there: String, _ here: String, build: (String, String) = ("", ""), by: String = "Gantry") -> Bool
        {
            SoftwareOrder.isOlder(
                ["platform_name": by, "platform_version": there, "build_number": build.0],
                than: ["platform_name": "Gantry", "platform_version": here, "build_number": build.1])
        }
        for (there, here) in [("0.9", "0.10"), ("1", "1.0.1"), ("3.2.1-rc", "3.3"), ("0.1.9", "0.2")] {
            #expect(isOlder(there, here) && !isOlder(here, there), "\(there) \(here)")
        }
        for same in [("1.0", "1"), ("1.0", "1.0.0"), ("x", "1"), ("", "1")] { #expect(!isOlder(same.0, same.1)) }
        #expect(isOlder("1.0", "1", build: ("6", "7")) && !isOlder("2", "1", build: ("6", "7")))
        // Of other makers nothing is known.
        #expect(!isOlder("0.1", "9", by: "XCP"))
        #expect(!SoftwareOrder.isOlder([:], than: ["platform_name": "Gantry", "platform_version": "1"]))
    }

    /// The row that a driver makes for an arriving disk is noted in the move's record.
    @Test func aDriversRowIsNotedInTheRecordOfItsMove() {
        let disks = ["a", "b"].map {
            ArrivingMachine.Disk(
                origin: $0, uuid: "u-" + $0, ref: "r-" + $0, sr: "s", location: "", format: "", size: 1, row: "{}",
                isReadOnly: false, mark: "mark " + $0)
        }
        let record = ArrivingMachine(
            id: "m", secretDigest: "", offer: nil, vm: "", uuid: "", disks: disks, state: MachineArrival())
        var claimed = record
        let others = [
            claimed.claim(label: "mark c", sr: "s", uuid: "x", ref: "y", location: "z"),
            claimed.claim(label: "mark b", sr: "t", uuid: "x", ref: "y", location: "z"),
        ]
        #expect(others == [nil, nil] && claimed == record)
        let isItsOwn = claimed.claim(label: "mark b", sr: "s", uuid: "x", ref: "y", location: "z")
        #expect(isItsOwn == .init(former: nil) && claimed.disks[0] == disks[0])
        #expect([claimed.disks[1].uuid, claimed.disks[1].ref, claimed.disks[1].location] == ["x", "y", "z"])
        // A driver that has tried again.
        let second = claimed.claim(label: "mark b", sr: "s", uuid: "X", ref: "Y", location: "Z")
        #expect(second == .init(former: Ref("y")) && claimed.disks[1].ref == "Y")
        // One that is over takes nothing any more.
        var over = record
        _ = over.state.take(.cancel)
        let isTaken = over.claim(label: "mark b", sr: "s", uuid: "x", ref: "y", location: "z")
        #expect(isTaken == nil)
    }

    /// In the transaction that makes it: whoever dies then, the record leads to the volume, and nobody takes the row for a disk.
    @Test func aRowThatADriverMakesIsNoDiskBeforeItsMachineIsHere() async throws {
        let bench = try await StorageBench([])
        let (sr, vdi, other) = (Ref<SR>.new(), Ref<VDI>.new(), Ref<VDI>.new())
        let disk = ArrivingMachine.Disk(
            origin: "a", uuid: "planned", ref: "OpaqueRef:planned", sr: sr.opaque, location: "", format: "", size: 1,
            row: "{}", isReadOnly: false, mark: "Gantry arrival planned")
        let record = ArrivingMachine(
            id: "m", secretDigest: "", offer: nil, vm: "OpaqueRef:vm", uuid: "", disks: [disk], state: MachineArrival())
        try await bench.database.transaction { tx in
            try tx.store(record)
            tx.insert(SR.self, ref: sr) { row in row[SR.uuid] = "sr" }
            for (ref, label) in [(vdi, disk.mark ?? ""), (other, "another")] {
                tx.insert(VDI.self, ref: ref) { row in
                    (row[VDI.uuid], row[VDI.sr], row[VDI.location]) = ("u" + label, sr, "l" + label)
                    (row[VDI.nameLabel], row[VDI.managed]) = (label, true)
                }
                try DriverCallbacks.claim(ref, in: tx)
            }
        }
        let noted = try #require(bench.database.arrivals().first?.disks.first)
        #expect(noted.ref == vdi.opaque && noted.uuid == "uGantry arrival planned" && noted.location.hasPrefix("l"))
        let row = try #require(bench.database.read { $0.row(vdi) })
        #expect(!row[VDI.managed] && row[VDI.currentOperations].values.contains(.blocked))
        #expect(bench.database.read { $0.row(other)?[VDI.managed] } == true)
        // A driver that tries again makes another one, and nobody has the first, which is seen.
        let again = Ref<VDI>.new()
        try await bench.database.transaction { tx in
            tx.insert(VDI.self, ref: again) { row in
                (row[VDI.uuid], row[VDI.sr], row[VDI.location]) = ("again", sr, "again")
                (row[VDI.nameLabel], row[VDI.managed]) = (disk.mark ?? "", true)
            }
            try DriverCallbacks.claim(again, in: tx)
        }
        #expect(bench.database.arrivals().first?.disks.first?.ref == again.opaque)
        let first = try #require(bench.database.read { $0.row(vdi) })
        #expect(first[VDI.managed] && first[VDI.currentOperations].isEmpty)
        #expect(bench.database.read { $0.row(again)?[VDI.managed] } == false)
        // What was offered of it is its own from the moment on at which the machine is.
        try await bench.database.transaction { tx in
            let offered = OfferedDisk(
                vdi: "a", row: #"{"name_label":"n","xenstore_data":{"k":"v"}}"#, role: "disk", sr: sr.opaque,
                choice: "",
                size: 1, leastBytes: 0)
            try ArrivalRows.complete(noted, offered, in: tx)
        }
        let complete = try #require(bench.database.read { $0.row(vdi) })
        #expect(complete[VDI.managed] && complete[VDI.nameLabel] == "n" && complete[VDI.xenstoreData].isEmpty)
    }
}
