import APITypes
import Foundation
import Testing

@testable import Toolstack

@Suite struct MoveAcceptanceTests {
    /// A toolstack of before running machines were taken would make a halted one of the offer, and does not say otherwise.
    @Test func aRunningMachineIsOfferedOnlyToWhoTakesIt() throws {
        func read(_ more: String) throws -> MoveAcceptance {
            let text = #"{"machine":"","disks":[{"vdi":"a","uuid":"","format":"vhd","size":1}]\#(more)}"#
            return try JSONDecoder().decode(MoveAcceptance.self, from: Data(text.utf8))
        }
        for more in ["", #","takesRunning":false"#] {
            let older = try read(more)
            try older.requireTaken(isRunning: false, by: "h")
            #expect(throws: APIError.self) { try older.requireTaken(isRunning: true, by: "h") }
        }
        try read(#","takesRunning":true"#).requireTaken(isRunning: true, by: "h")
    }
}
