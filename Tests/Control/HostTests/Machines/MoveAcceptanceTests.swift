import APITypes
import Foundation
import Testing

@testable import Toolstack

@Suite struct MoveAcceptanceTests {
    /// A toolstack of before running and suspended machines were taken would make a halted one of the offer, and does not say
    /// otherwise.
    @Test func aMachineWithAMemoryIsOfferedOnlyToWhoTakesIt() throws {
        func offer(passport: String? = nil, role: String = "disk") -> MoveOffer {
            let disk = OfferedDisk(vdi: "a", row: "{}", role: role, sr: "s", choice: "", size: 1, leastBytes: 0)
            return MoveOffer(
                id: "", uuid: "", isCopy: false, isForced: false, machine: "{}", drives: [], interfaces: [],
                disks: [disk], origin: "", passport: passport)
        }
        let halted = offer()
        let others = [offer(passport: "{}"), offer(role: "suspend image")]
        #expect(halted.suspendImage == nil && others[1].suspendImage == "a")
        func read(_ more: String) throws -> MoveAcceptance {
            let text = #"{"machine":"","disks":[{"vdi":"a","uuid":"","format":"vhd","size":1}]\#(more)}"#
            return try JSONDecoder().decode(MoveAcceptance.self, from: Data(text.utf8))
        }
        for more in ["", #","takesMemory":false"#] {
            let older = try read(more)
            try older.requireTaken(halted, by: "h")
            for other in others { #expect(throws: APIError.self) { try older.requireTaken(other, by: "h") } }
        }
        for other in others { try read(#","takesMemory":true"#).requireTaken(other, by: "h") }
    }
}
