import APITypes
import PoolDatabase
import Testing

@testable import Toolstack

/// Whether a VM is to be kept running follows whether it runs.
@Suite struct RestartTests {
    @Test func whoEndsAMachineIsBelieved() async throws {
        let bench = try await StorageBench([])
        let vm = Ref<VM>.new()
        func isKept(_ state: VMPowerState) async throws -> Bool {
            try await bench.database.transaction { tx in
                try tx.set(vm, power: state)
                return try tx.require(vm)[VM.haAlwaysRun]
            }
        }
        for (priority, isWanted) in [("restart", true), ("best-effort", false), ("", false)] {
            try await bench.database.transaction { tx in
                if tx.row(vm) == nil { tx.insert(VM.self, ref: vm) { _ in } }
                try tx.set(vm, VM.haRestartPriority, priority)
            }
            for (state, isKeptThen) in [
                (VMPowerState.running, isWanted), (.halted, false), (.paused, isWanted), (.suspended, false),
            ] {
                #expect(try await isKept(state) == isKeptThen, "\(priority) \(state)")
            }
        }
    }
}
