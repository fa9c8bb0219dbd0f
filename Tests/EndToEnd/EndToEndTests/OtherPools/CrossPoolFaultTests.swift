import Foundation
import GuestFixture
import TestSupport
import Testing

extension EndToEnd {
    /// Every phase of a running machine's move to another pool, and everything that can fail in it. A run does some of the cells,
    /// `GANTRY_LONG=1` all.
    @Suite struct CrossPoolFaultTests {
        @Test func whateverFailsOnTheWayToAnotherPoolEndsAsTheTableSays() async throws {
            let random = SeededRandom.printed()
            let cells = CrossPoolFaults.some(4, "faults between pools")
            try await TwoPools.run { pools in
                let scene = try await CrossPoolFaultScene(pools, random)
                defer { scene.close() }
                for cell in cells {
                    print("cell: \(cell)")
                    try await scene.play(cell)
                }
                try await scene.finish()
            }
        }

        /// Administrators read what the tests expect.
        @Test func theDocumentHasTheTableOfMovesBetweenPools() throws {
            let text = try String(contentsOf: SourceTree.url("docs/operations.md"), encoding: .utf8)
            #expect(text.contains(CrossPoolFaults.table), "put this there:\n\(CrossPoolFaults.table)")
        }
    }
}
