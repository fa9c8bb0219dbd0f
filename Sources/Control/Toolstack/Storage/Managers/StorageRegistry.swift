import StorageInterface
import Synchronization

/// The storage managers of this host, by SR type. Plugins come and go while it runs.
final class StorageRegistry: Sendable {
    private let managers: Mutex<[String: any StorageManager]>

    /// Of two managers of one type the first counts.
    init(_ managers: [any StorageManager]) {
        self.managers = Mutex(Dictionary(managers.map { ($0.info.type, $0) }) { first, _ in first })
    }

    func manager(ofType type: String) -> (any StorageManager)? { managers.withLock { $0[type.lowercased()] } }

    /// All of them, ordered by type.
    var all: [any StorageManager] { managers.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } }

    /// Adds the manager, or replaces the one of its type.
    func set(_ manager: any StorageManager) { managers.withLock { $0[manager.info.type] = manager } }

    func remove(type: String) { managers.withLock { $0[type] = nil } }
}
