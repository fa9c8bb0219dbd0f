import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Every phase of a move, and everything that can fail in it. A run does some of the cells, `GANTRY_LONG=1` all.
    @Suite struct MoveFaultTests {
        @Test func whateverFailsAtAPhaseOfAMoveEndsAsTheTableSays() async throws {
            let random = SeededRandom.printed()
            let cells = MoveFaults.some(6, "faults of moves") { $0.fault != .server }
            try await withToolstack { toolstack in
                let (a, b) = (
                    try await MoveFaultScene.place(toolstack, "a", format: "vhd"),
                    try await MoveFaultScene.place(toolstack, "b", format: "qcow2")
                )
                let scene = try await MoveFaultScene(toolstack, a, b, random)
                defer { scene.unmount() }
                for cell in cells {
                    print("cell: \(cell)")
                    try await scene.play(cell)
                }
                try await scene.finish()
            }
        }

        /// The same where the destination is served by a storage driver.
        @Test func aDestinationsServerThatDiesEndsTheMoveAsTheTableSays() async throws {
            let random = SeededRandom.printed()
            let cells = MoveFaults.some(1, "servers that die") { $0.fault == .server }
            for cell in cells {
                print("cell: \(cell)")
                try await withToolstack(driverFolders: [Drivers.folder]) { toolstack in
                    let (a, b) = (
                        try await toolstack.makeRepository("a", formats: "vhd"),
                        try await toolstack.makeRepository("b", formats: "qcow2", type: "example")
                    )
                    let scene = try await MoveFaultScene(
                        toolstack, MoveFaultScene.Place(ref: a.ref, path: a.path, format: "vhd", loop: nil),
                        MoveFaultScene.Place(ref: b.ref, path: b.path, format: "qcow2", loop: nil), random)
                    try await scene.play(cell)
                    try await scene.finish()
                }
            }
        }

        /// Administrators read what the tests expect.
        @Test func theDocumentHasTheTable() throws {
            let text = try String(contentsOf: SourceTree.url("docs/operations.md"), encoding: .utf8)
            #expect(text.contains(MoveFaults.table), "put this there:\n\(MoveFaults.table)")
        }
    }
}
