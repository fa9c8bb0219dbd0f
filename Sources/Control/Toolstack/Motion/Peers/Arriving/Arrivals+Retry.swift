import Logging
import PoolDatabase
import StorageMotion

/// What is done again and again until it is done.
extension Arrivals {
    /// One that was told to run and has not answered is told again.
    func beginAgain(_ id: String) async {
        guard busy.insert(id).inserted else { return }
        defer { busy.remove(id) }
        guard var record = context.database.arrivals().first(where: { $0.id == id }) else { return }
        do { _ = try await begin(&record) } catch {
            context.logger.error(
                "a guest of another pool does not run yet", metadata: ["vm": "\(record.uuid)", "error": "\(error)"])
        }
    }

    /// Guests that have not begun yet are told again, and what could not be removed is tried again: each by itself, as storage that
    /// hangs may keep one for long.
    func retry() {
        for record in context.database.arrivals() {
            if record.isLive, record.state.guest == .runs, guest(record).isToBegin || ordered.contains(record.id) {
                Task { await beginAgain(record.id) }
            } else if record.state.phase == .refused, !record.isClean {
                Task { await cleanAgain(record.id) }
            } else if guest(record).isLeftOver {
                Task { await dismissAgain(record.id) }
            }
        }
    }

    /// Whoever noted that the guest does not come has not come to end the QEMU that waits for it.
    func dismissAgain(_ id: String) async {
        guard busy.insert(id).inserted else { return }
        defer { busy.remove(id) }
        guard let record = context.database.arrivals().first(where: { $0.id == id }), guest(record).isLeftOver else {
            return
        }
        await guest(record).noteRefused()
    }

    private func cleanAgain(_ id: String) async {
        guard busy.insert(id).inserted else { return }
        defer { busy.remove(id) }
        guard var record = context.database.arrivals().first(where: { $0.id == id }) else { return }
        do { try await clean(&record) } catch {
            context.logger.debug("a refused machine is not removed yet", metadata: ["error": "\(error)"])
        }
    }
}
