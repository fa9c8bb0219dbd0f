import APITypes
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers
import Synchronization

/// Brings this host's SRs back at a start: undoes mounts and half-made SRs that a killed toolstack left, and attaches what is
/// plugged. Storage that does not answer holds up the API for a bounded time only: its PBD is unplugged until it does.
struct StorageStart: Sendable {
    let context: StorageContext
    let mounts: MountFolder
    /// For each of the two steps.
    var patience: Duration = .seconds(10)

    func run() async {
        await RepositoryPlaces.noteKnown(context)
        let plugged = context.database.read { reader in
            reader.rows(PBD.self) { $0[PBD.currentlyAttached] && $0[PBD.host] == context.host }
        }
        let wanted = Set(plugged.compactMap { pbd in context.database.read { $0.row(pbd[PBD.sr])?[SR.uuid] } })
        // What is mounted under an SR's name is looked at first: the rest builds on it.
        _ = await within(mounts.names.filter { !wanted.contains($0) }) { await sweep($0) }
        let notes = RepositoryCreations.all(context)
        async let undone = within(notes) { await RepositoryCreations.undo($0, context) }
        let late = await within(plugged.map(\.ref)) { await attach(Ref<PBD>($0)) }
        for pbd in late.names { await unplug(Ref(pbd), unless: late) }
        _ = await undone
    }

    /// Those whose work goes on; they leave when it ends.
    private final class Late: Sendable {
        private let pending: Mutex<Set<String>>
        init(_ names: [String]) { pending = Mutex(Set(names)) }
        func remove(_ name: String) { _ = pending.withLock { $0.remove(name) } }
        func contains(_ name: String) -> Bool { pending.withLock { $0.contains(name) } }
        var names: [String] { pending.withLock { $0.sorted() } }
    }

    /// Does all of it at once, and returns when it is done or the patience is over.
    private func within(_ names: [String], _ body: @escaping @Sendable (String) async -> Void) async -> Late {
        let late = Late(names)
        if names.isEmpty { return late }
        let (ends, continuation) = AsyncStream.makeStream(of: Bool.self)
        for name in names {
            Task {
                await body(name)
                late.remove(name)
                continuation.yield(true)
            }
        }
        let alarm = Task { [patience] in
            do { try await Task.sleep(for: patience) } catch { return }
            continuation.yield(false)
        }
        var left = names.count
        for await isEnd in ends {
            if !isEnd { break }
            left -= 1
            if left == 0 { break }
        }
        alarm.cancel()
        return late
    }

    private func sweep(_ name: String) async {
        do {
            try await mounts.sweep(name)
        } catch {
            context.logger.warning("a mount is left over", metadata: ["sr": "\(name)", "problem": "\(error)"])
        }
    }

    /// A PBD whose storage is not there is unplugged, with a warning, so that nothing is promised. One that comes late is
    /// plugged then.
    private func attach(_ pbd: Ref<PBD>) async {
        try? await context.turns.run(pbd.opaque) {
            guard let row = context.database.read({ $0.row(pbd) }),
                let sr = context.database.read({ $0.row(row[PBD.sr]) })
            else { return }
            do {
                let manager = try context.manager(ofType: sr[SR.type])
                // Third-party drivers call back: they are asked when that is possible.
                if manager.info.writesRows { return }
                let repository = context.repositoryToAttach(sr, row)
                try await manager.attach(repository)
                let isWanted = try await context.database.transaction { tx in
                    guard let now = tx.row(pbd), now[PBD.deviceConfig] == row[PBD.deviceConfig] else { return false }
                    if !now[PBD.currentlyAttached] { try tx.set(pbd, PBD.currentlyAttached, true) }
                    return true
                }
                if isWanted {
                    // Beside the start, which waits for nothing more.
                    Task { [context] in await context.noteStatements(of: row[PBD.sr]) }
                } else {
                    try await manager.detach(repository)
                }
            } catch {
                context.logger.warning(
                    "an SR cannot be attached", metadata: ["pbd": "\(row.uuid)", "error": "\(error)"])
                try? await context.database.transaction { tx in
                    if tx.row(pbd) != nil { try tx.set(pbd, PBD.currentlyAttached, false) }
                }
            }
        }
    }

    private func unplug(_ pbd: Ref<PBD>, unless late: Late) async {
        context.logger.warning(
            "an SR does not answer; its PBD is plugged as soon as it does", metadata: ["pbd": "\(pbd.opaque)"])
        try? await context.database.transaction { tx in
            // It may have come just now, and has said so or will.
            if late.contains(pbd.opaque), tx.row(pbd) != nil { try tx.set(pbd, PBD.currentlyAttached, false) }
        }
    }
}
