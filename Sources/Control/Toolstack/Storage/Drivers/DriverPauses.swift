import APITypes
import Logging
import PoolDatabase

/// Disks that third-party drivers have asked to be let alone: `host.call_plugin("tapdisk-pause", …)`. From `pause` on the
/// disk's data path holds its requests, flushed and with nothing open, and none starts; from `unpause` on it goes on with what
/// the driver names then. A pause ends with the session that asked for it, and after the time that a driver's call may take:
/// no guest waits for ever for a driver that has died or hangs.
///
/// While a disk is paused its image is the driver's alone, and holds every write that the guest was told of; the data path
/// has nothing that is not in it. Should the toolstack die meanwhile, the next one waits for the driver's run to end, as for
/// every run, and then lets the data path go on.
actor DriverPauses {
    private struct Pause {
        let session: Ref<Session>
        /// Ends it.
        let end: AsyncStream<Void>.Continuation
        /// Over when the data path goes on.
        let work: Task<Void, any Error>
    }

    private let context: StorageContext
    private let limit: Duration
    private var pauses: [String: Pause] = [:]

    init(context: StorageContext, limit: Duration) {
        self.context = context
        self.limit = limit
    }

    /// Returns when nothing is open. The caller may do so again. XENAPI_PLUGIN_FAILURE when somebody else is at work on the
    /// disk.
    func pause(_ vdi: Row, for session: Ref<Session>) async throws {
        let uuid = vdi[VDI.uuid]
        if let present = pauses[uuid] {
            if present.session == session { return }
            throw Self.refusal("pause", "another program has paused the VDI \(uuid)")
        }
        if context.database.read({ RepositoryMessages.moving($0).contains(uuid) }) {
            throw Self.refusal("pause", "the VDI \(uuid) is being copied or moved; try again when that is done")
        }
        // What waits for this driver's answer cannot be waited for.
        if await context.disks.isChanging(uuid) {
            throw Self.refusal("pause", "the VDI \(uuid) is just being attached or detached; try again")
        }
        // Others may have come in between.
        if pauses[uuid] != nil { throw Self.refusal("pause", "another program has paused the VDI \(uuid)") }
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let (begins, begin) = AsyncStream.makeStream(of: Void.self)
        let work = Task { [context] in
            defer { begin.finish() }
            try await PausedDisk(context: context).working(on: vdi) {
                // Copies, exports and imports open the disk beside its data path.
                guard context.uses.begin(uuid, writing: true) else {
                    throw Self.refusal("pause", "the VDI \(uuid) is being copied, exported or imported")
                }
                defer { context.uses.end(uuid, writing: true) }
                begin.yield()
                for await _ in ends {}
            }
        }
        pauses[uuid] = Pause(session: session, end: end, work: work)
        var hasBegun = false
        for await _ in begins {
            hasBegun = true
            break
        }
        guard hasBegun else {
            pauses[uuid] = nil
            do {
                try await work.value
            } catch {
                throw Self.refusal("pause", "the VDI \(uuid) cannot be paused: \(error)")
            }
            return
        }
        Task { await watch(uuid, session) }
    }

    func isPaused(_ uuid: String) -> Bool { pauses[uuid] != nil }

    /// Returns when the disk's guest is served again. Fine when it is not paused.
    func unpause(_ uuid: String, for session: Ref<Session>) async throws {
        guard let pause = pauses[uuid] else { return }
        guard pause.session == session else {
            throw Self.refusal("unpause", "another program has paused the VDI \(uuid)")
        }
        await end(uuid, pause)
    }

    private func end(_ uuid: String, _ pause: Pause) async {
        pause.end.finish()
        _ = try? await pause.work.value
        if pauses[uuid]?.work == pause.work { pauses[uuid] = nil }
    }

    /// Ends what its driver does not end.
    private func watch(_ uuid: String, _ session: Ref<Session>) async {
        guard let pause = pauses[uuid], pause.session == session else { return }
        let deadline = ContinuousClock.now + limit
        while pauses[uuid]?.work == pause.work {
            let isOver = ContinuousClock.now >= deadline
            if isOver || context.database.read({ $0.row(session) == nil }) {
                context.logger.warning(
                    "a disk that a storage driver had paused goes on",
                    metadata: ["vdi": "\(uuid)", "reason": "\(isOver ? "it took too long" : "its session has ended")"])
                return await end(uuid, pause)
            }
            // The toolstack ends: the data path stays paused, and its successor looks after it.
            do { try await Task.sleep(for: .milliseconds(250)) } catch { return }
        }
    }

    static func refusal(_ function: String, _ text: String) -> APIError {
        APIError("XENAPI_PLUGIN_FAILURE", function, "PauseError", text)
    }
}
