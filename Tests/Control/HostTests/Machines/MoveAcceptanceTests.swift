import APITypes
import Foundation
import PoolDatabase
import Testing

@testable import Toolstack

@Suite struct MoveAcceptanceTests {
    /// A toolstack of before these were taken would leave memory and snapshots behind, and does not say otherwise.
    @Test func aMachineWithMemoryOrSnapshotsIsOfferedOnlyToWhoTakesIt() throws {
        func offer(passport: String? = nil, role: String = "disk") -> MoveOffer {
            let disk = OfferedDisk(vdi: "a", row: "{}", role: role, sr: "s", choice: "", size: 1, leastBytes: 0)
            return MoveOffer(
                id: "", uuid: "", isCopy: false, isForced: false, machine: "{}", drives: [], interfaces: [],
                disks: [disk], origin: "", passport: passport)
        }
        let halted = offer()
        var others = [offer(passport: "{}"), offer(role: "suspend image"), offer()]
        others[2].snapshots = [
            OfferedSnapshot(uuid: "", reference: "", row: "{}", time: 0, drives: [], interfaces: [])
        ]
        #expect(halted.suspendImage == nil && others[1].suspendImage == "a")
        func read(_ more: String) throws -> MoveAcceptance {
            let text = #"{"machine":"","disks":[{"vdi":"a","uuid":"","format":"vhd","size":1}]\#(more)}"#
            return try JSONDecoder().decode(MoveAcceptance.self, from: Data(text.utf8))
        }
        for more in ["", #","takes":["something"]"#] {
            let older = try read(more)
            try older.requireTaken(halted, by: "h")
            for other in others { #expect(throws: APIError.self) { try older.requireTaken(other, by: "h") } }
        }
        for other in others {
            try read(#","takes":["running","suspended","snapshots","more"]"#).requireTaken(other, by: "h")
        }
        #expect(throws: APIError.self) { try read(#","takes":["running"]"#).requireTaken(others[2], by: "h") }
        others[2].snapshots?[0].image = "a"
        #expect(throws: APIError.self) { try read(#","takes":["snapshots"]"#).requireTaken(others[2], by: "h") }
        try read(#","takes":["snapshots","checkpoints"]"#).requireTaken(others[2], by: "h")
    }

    @Test func whatRunsIsNotCopiedToAnotherPool() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let vm = Ref<VM>.new()
        func refusal(_ state: VMPowerState, isForced: Bool) async throws -> APIError? {
            let row = try await database.transaction { tx in
                if tx.row(vm) == nil { tx.insert(VM.self, ref: vm) { _ in } }
                try tx.set(vm, VM.powerState, state)
                return try tx.require(vm)
            }
            do throws(APIError) { try DepartureSurvey.checkCopy(of: row, isForced: isForced) } catch { return error }
            return nil
        }
        #expect(try await refusal(.halted, isForced: false) == nil)
        #expect(try await refusal(.suspended, isForced: true) == nil)
        for (state, isForced, expected) in [
            (VMPowerState.suspended, false, "halted"), (.running, false, "halted"),
            (.running, true, "halted, suspended"),
        ] {
            let actual = state.rawValue.lowercased()
            #expect(
                try await refusal(state, isForced: isForced)
                    == APIError("VM_BAD_POWER_STATE", vm.opaque, expected, actual))
        }
    }

    @Test func aSnapshotsMetadataNamesWhatIsThere() {
        let text = "(('ref' 'OpaqueRef:0a-1') ('VBDs' '(\'OpaqueRef:ff\' \'OpaqueRef:NULL\')') ('x' 'OpaqueRef:'))"
        let renamed = SnapshotMetadata.renamed(text, ["OpaqueRef:0a-1": "OpaqueRef:b"])
        #expect(
            renamed
                == "(('ref' 'OpaqueRef:b') ('VBDs' '(\'OpaqueRef:NULL\' \'OpaqueRef:NULL\')') ('x' 'OpaqueRef:'))")
    }
}
