import APITypes
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
        #expect(others == [false, false] && claimed == record)
        let isItsOwn = claimed.claim(label: "mark b", sr: "s", uuid: "x", ref: "y", location: "z")
        #expect(isItsOwn && claimed.disks[0] == disks[0])
        #expect([claimed.disks[1].uuid, claimed.disks[1].ref, claimed.disks[1].location] == ["x", "y", "z"])
        // One that is over takes nothing any more.
        var over = record
        _ = over.state.take(.cancel)
        let isTaken = over.claim(label: "mark b", sr: "s", uuid: "x", ref: "y", location: "z")
        #expect(!isTaken)
    }
}
