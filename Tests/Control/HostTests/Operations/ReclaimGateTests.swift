import APITypes
import CoreTypes
import Testing

@testable import Toolstack

/// Who waits for whom between the space reclaimer and operations on disks.
@Suite struct ReclaimGateTests {
    private let gate = ReclaimGate()
    private let sr = Ref<SR>("OpaqueRef:sr")
    private let disk = Ref<VDI>("OpaqueRef:disk")
    private let other = Ref<VDI>("OpaqueRef:other")

    /// Begins to wait for the gate; true when the wait was not over before `leave`, which comes once the step was told to
    /// stop.
    private func waits(for claim: OperationClaim, step isLong: Bool) async -> Bool {
        let cancellation = CancellationFlag()
        let id = gate.enter(sr, disks: [disk.opaque], isLong: isLong, cancellation: cancellation)
        let isOver = CancellationFlag()
        let gate = gate
        return await withTaskGroup { group in
            group.addTask {
                try? await gate.clear(for: [claim])
                isOver.cancel()
            }
            while !cancellation.isCancelled, !isOver.isCancelled { await Task.yield() }
            let waited = !isOver.isCancelled
            gate.leave(id)
            await group.waitForAll()
            return waited
        }
    }

    /// Of SR_BACKEND_FAILURE.
    private func code(_ body: () async throws(APIError) -> Void) async -> Int {
        do throws(APIError) {
            try await body()
            return 0
        } catch { return Int(error.code.dropFirst("SR_BACKEND_FAILURE_".count)) ?? 1 }
    }

    @Test func operationsWaitForStepsAndStopMerges() async {
        #expect(await waits(for: .vdi(disk, .snapshot), step: false))
        #expect(await waits(for: .vdi(disk, .copy), step: false))
        #expect(await waits(for: .vdi(disk, .mirror), step: true))
        #expect(await waits(for: .vdi(disk, .destroy), step: true))
        #expect(await waits(for: .sr(sr, .unplug), step: true))
        #expect(await waits(for: .sr(sr, .unplug), step: false))
        // Beside a merge disks are used as ever, and nobody waits for the step of another disk.
        #expect(await !waits(for: .vdi(disk, .snapshot), step: true))
        #expect(await !waits(for: .vdi(other, .destroy), step: false))
        #expect(await !waits(for: .sr(sr, .scan), step: false))
        #expect(await !waits(for: .sr(Ref("OpaqueRef:sr2"), .unplug), step: true))
        await gate.clearAll()
    }

    /// A guest that gets a disk waits for a step that holds the disk, and for no merge; new settings stop merges alone.
    @Test func startsWaitForShortStepsAndSettingsStopMerges() async throws {
        let (short, long, elsewhere) = (CancellationFlag(), CancellationFlag(), CancellationFlag())
        let step = gate.enter(sr, disks: [disk.opaque], isLong: false, cancellation: short)
        let merge = gate.enter(sr, disks: [disk.opaque, other.opaque], isLong: true, cancellation: long)
        let far = gate.enter(Ref("OpaqueRef:sr2"), disks: [], isLong: true, cancellation: elsewhere)
        try await gate.clear(for: other)
        gate.stopMerges(of: sr)
        #expect(!short.isCancelled && long.isCancelled && !elsewhere.isCancelled)
        let isOver = CancellationFlag()
        let (gate, disk) = (gate, disk)
        await withTaskGroup { group in
            group.addTask {
                try? await gate.clear(for: disk)
                isOver.cancel()
            }
            while !short.isCancelled { await Task.yield() }
            #expect(!isOver.isCancelled)
            gate.leave(step)
            await group.waitForAll()
        }
        gate.leave(merge)
        gate.leave(far)
        await gate.clearAll()
    }

    /// On storage that does not answer a step may never end: who waits for it is told so, and comes through when it has.
    @Test func aStepThatDoesNotEndIsNotWaitedForForEver() async throws {
        let gate = ReclaimGate(patience: .milliseconds(20))
        let id = gate.enter(sr, disks: [disk.opaque], isLong: false, cancellation: CancellationFlag())
        let claims: [OperationClaim] = [.sr(sr, .unplug), .vdi(disk, .snapshot)]
        for claim in claims { #expect(await code { () throws(APIError) in try await gate.clear(for: [claim]) } == 47) }
        #expect(await code { () throws(APIError) in try await gate.clear(for: disk) } == 47)
        await gate.clearAll()
        gate.leave(id)
        try await gate.clear(for: claims)
    }

    @Test func settingsThatAreNotUnderstoodCountForNothing() {
        #expect(ReclaimSettings([:]) == ReclaimSettings())
        var wanted = ReclaimSettings()
        (wanted.isOn, wanted.mergesLeaves, wanted.bytesPerSecond, wanted.delay) = (false, false, 50 << 20, 0)
        let config = [
            "coalesce": "False", "leaf-coalesce": "false", "coalesce-rate": "50MiB", "coalesce-delay": "0",
        ]
        #expect(ReclaimSettings(config) == wanted)
        let odd = ["coalesce": "perhaps", "coalesce-rate": "much", "coalesce-delay": "-1"]
        #expect(ReclaimSettings(odd) == ReclaimSettings())
    }
}
