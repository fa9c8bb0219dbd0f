import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Machines that do not run, and what can fail on their way to another pool besides `gantryd` (CrossPoolCrashes).
    @Suite struct CrossPoolStillMachines {
        /// It is as it was, on one side, whatever has failed. A run does the one where the other side answers no more once it is
        /// decided, and another; `GANTRY_LONG=1` all, halted and suspended.
        @Test func whateverFailsAMachineThatDoesNotRunIsWholeOnOneSide() async throws {
            let random = SeededRandom.printed()
            let first = StillMachineScene.cells.filter { $0.fault == .unanswered && !$0.isSuspended }
            let others = StillMachineScene.cells.filter { $0.fault != .unanswered || $0.isSuspended }
            let cells = first + GateShare.some(1, of: others, "faults of machines that do not run")
            try await TwoPools.run { pools in
                let scene = try await StillMachineScene(pools, random)
                defer { scene.close() }
                for cell in cells {
                    print("cell: \(cell)")
                    try await scene.play(cell)
                }
                try await scene.finish()
            }
        }
    }
}
