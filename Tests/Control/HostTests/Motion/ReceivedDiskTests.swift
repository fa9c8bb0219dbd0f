import APITypes
import DatapathControl
import Foundation
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageManagers
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// Disks that other makers' toolstacks fill: what is expected of whom, and how it is written.
@Suite struct ReceivedDiskTests {
    private func leaf() -> ReceivedDisk {
        var disk = ReceivedDisk(
            id: "u", ref: "r", sr: "s", location: "u.vhd", format: "vhd", size: 1 << 20, room: 4096, session: "x",
            lastCall: 1000)
        disk.isMade = true
        disk.mirror = "a/b"
        disk.parent = "p"
        disk.dummy = "d"
        disk.links["dp"] = ReceivedDisk.Link(place: "u.vhd", isActive: true)
        return disk
    }

    /// The oldest sources compose and take the mark off while the mirror runs, later ones in the end, in one call or in several.
    @Test func aMirrorIsCompleteWhenNothingMoreComes() {
        var oldest = leaf()
        oldest.isComposed = true
        oldest.isUnmarked = true
        #expect(!oldest.isComplete)
        oldest.links = [:]
        #expect(oldest.isComplete)

        var driven = leaf()
        driven.links = [:]
        #expect(!driven.isComplete)
        driven.isUnmarked = true
        #expect(!driven.isComplete)
        driven.isComposed = true
        #expect(driven.isComplete)
        driven.isSpoiled = true
        #expect(!driven.isComplete)

        // One that copies and mirrors by one way has no parent.
        var single = leaf()
        (single.parent, single.dummy, single.links) = (nil, nil, [:])
        #expect(!single.isComplete)
        single.isUnmarked = true
        #expect(single.isComplete)
        single.isCancelled = true
        #expect(!single.isComplete)
    }

    @Test func eachPlaceHasItsWayToTheDisk() {
        let mirror = leaf()
        #expect(mirror.export(at: "u.vhd") == DatapathExport.newer && mirror.export(at: "p") == DatapathExport.older)
        #expect(mirror.export(at: "d") == nil && mirror.export(at: "x") == nil)
        #expect(mirror.has("u.vhd") && mirror.has("p") && mirror.has("d") && !mirror.has("x"))
        var copy = mirror
        (copy.mirror, copy.parent, copy.dummy) = (nil, nil, nil)
        #expect(copy.export(at: "u.vhd") == DatapathExport.disk && !copy.isWhole(at: "u.vhd"))
        // What comes by one connection needs no note of what is newer.
        var single = copy
        single.mirror = "a/b"
        #expect(single.export(at: "u.vhd") == DatapathExport.disk && single.isWhole(at: "u.vhd"))
        #expect(!mirror.isWhole(at: "u.vhd") && !single.isWhole(at: "x"))
    }

    @Test func whatNobodyGoesOnWithIsKnown() {
        var disk = leaf()
        func isAbandoned(_ seconds: Int64, session: Bool, connected: Bool = false, seen: Int64 = 0) -> Bool {
            disk.isAbandoned(at: 1000 + seconds, lastSeen: seen, hasSession: session, isConnected: connected)
        }
        #expect(!isAbandoned(86_400, session: true) && isAbandoned(86_401, session: true))
        #expect(!isAbandoned(600, session: false) && isAbandoned(601, session: false))
        #expect(!isAbandoned(1 << 30, session: true, connected: true))
        // Tapdisk keeps its connection when all else of a source is gone.
        #expect(!isAbandoned(600, session: false, connected: true) && isAbandoned(601, session: false, connected: true))
        #expect(!isAbandoned(1000, session: false, seen: 1900))
        disk.isMade = false
        #expect(isAbandoned(0, session: false) && !isAbandoned(0, session: true))
        disk.isCancelled = true
        #expect(isAbandoned(0, session: true, connected: true))
    }

    @Test func itTakesItsRoomUntilItIsOver() {
        var disk = leaf()
        #expect(disk.roomClaim(in: "other") == nil)
        #expect(disk.roomClaim(in: "s")?.least == 4096 && disk.roomClaim(in: "s")?.images.map(\.location) == ["u.vhd"])
        #expect(disk.keepsDatapath(of: "u") && !disk.keepsDatapath(of: "v"))
        disk.isCancelled = true
        #expect(disk.roomClaim(in: "s")?.least == 0 && disk.roomClaim(in: "s")?.leaving.count == 1)
        #expect(!disk.keepsDatapath(of: "u"))
    }

    @Test func descriptionsOfDisksHaveDefaultsAndTypes() throws {
        let least = try #require(
            StorageLayerDisk(.structure([WireMember("vdi", .string("v")), WireMember("name_label", .string("n"))])))
        #expect(least.uuid == nil && least.type == "user" && least.isPersistent && least.smConfig.isEmpty)
        #expect(least.snapshotTime == "19700101T00:00:00Z" && least.virtualSize == 0)
        let members: [WireMember] = [
            WireMember("vdi", .string("v")), WireMember("name_label", .string("n")),
            WireMember("uuid", .array([.string("u")])), WireMember("virtual_size", .string("4096")),
            WireMember("physical_utilisation", .int(7)), WireMember("is_a_snapshot", .bool(true)),
            WireMember("sm_config", .array([.array([.string("image-format"), .string("qcow2")])])),
            WireMember("of_a_later_version", .array([])),
        ]
        let disk = try #require(StorageLayerDisk(.structure(members)))
        #expect(disk.uuid == "u" && disk.virtualSize == 4096 && disk.physicalUtilisation == 7 && disk.isSnapshot)
        #expect(disk.formatWord == "qcow2")
        #expect(StorageLayerDisk(disk.wire) == disk)
        for wrong in [
            WireMember("virtual_size", .string("much")), WireMember("sm_config", .string("x")),
            WireMember("persistent", .string("maybe")),
        ] {
            #expect(StorageLayerDisk(.structure(members.filter { $0.name != wrong.name } + [wrong])) == nil)
        }
        #expect(StorageLayerDisk(.structure([WireMember("vdi", .string("v"))])) == nil)
        #expect(StorageLayerDisk(.string("v")) == nil)
    }

    @Test func argumentsAreFoundByTheirNames() throws {
        let disk = WireValue.structure([WireMember("vdi", .string("v")), WireMember("name_label", .string("n"))])
        let call = StorageLayerCall(
            RPCCall(
                "VDI.attach3",
                [
                    .structure([
                        WireMember("sr", .string("s")), WireMember("read_write", .bool(true)),
                        WireMember("new_size", .string("12")), WireMember("vdi_info", disk),
                        WireMember("snapshot_pairs", .array([.array([.string("a"), disk])])),
                    ])
                ]))
        #expect(try call.text("sr") == "s" && call.flag("read_write", default: false))
        #expect(try call.number("new_size") == 12 && call.disk("vdi_info").place == "v")
        #expect(try call.disksByPlace("snapshot_pairs").map(\.place) == ["a"])
        #expect(call.text("none", default: "-") == "-")
        #expect(throws: StorageLayerError.self) { try call.text("none") }
        #expect(throws: StorageLayerError.self) { try call.disk("sr") }
        #expect(throws: StorageLayerError.self) { try call.number("sr") }
        let dictionary = StorageLayerCall(
            RPCCall("x", [.structure([WireMember("snapshot_pairs", .structure([WireMember("a", disk)]))])]))
        #expect(try dictionary.disksByPlace("snapshot_pairs").map(\.place) == ["a"])
        #expect(throws: StorageLayerError.self) { try StorageLayerCall(RPCCall("x", [])).text("sr") }
    }

    @Test func errorsAreVariants() throws {
        #expect(StorageLayerError.unimplemented("a").wire == [.string("Unimplemented"), .string("a")])
        let refused = StorageLayerError(APIError("SR_BACKEND_FAILURE_44", "", "full"), srUUID: "s")
        #expect(
            refused.wire == [
                .string("Backend_error"),
                .array([.string("SR_BACKEND_FAILURE_44"), .array([.string(""), .string("full")])]),
            ])
        #expect(StorageLayerError(APIError("SR_NOT_ATTACHED", "r"), srUUID: "s") == .notAttached("s"))
        guard case .failure(let told) = try XMLRPC.decodeReply(StorageLayerError.noDisk("v").reply) else {
            Issue.record("no failure")
            return
        }
        #expect(told == ["Vdi_does_not_exist", "v"])
    }

    @Test func theOldHandshakeSaysTheSizeAndPromisesNothing() {
        let greeting = ExportHandshake.greeting(size: 0x0102_0304_0506_0708)
        #expect(greeting.count == 152 && greeting.prefix(8) == Array("NBDMAGIC".utf8)[...])
        #expect(greeting[8..<24] == [0, 0, 0x42, 2, 0x81, 0x86, 0x12, 0x53, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(greeting[24...].allSatisfy { $0 == 0 })
        #expect(
            ExportHandshake.request("disk")
                == [0, 0, 0, 3] + Array("IHAVEOPT".utf8) + [0, 0, 0, 1, 0, 0, 0, 4] + Array("disk".utf8))
    }
}
