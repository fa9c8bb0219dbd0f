import APITypes
import CoreTypes
import PoolDatabase
import StorageMotion

/// Lets moves of disks wait for their turns: an SR takes part in as many copies at once as its `other_config:disk-moves`
/// says, else the pool's, else three. Whoever waits sees in its task which place it has (`queue_position`).
actor MoveTurns {
    static let key = "disk-moves"
    static let standard = 3
    private var line = MoveLine()
    private var begun: Set<Int> = []

    /// Returns when the move may begin; to be paired with `leave`. Throws `CancellationError` when it is cancelled first.
    func enter(_ repositories: Set<String>, database: PoolDatabase, progress: any TaskProgress) async throws -> Int {
        let turn = line.join(repositories)
        var told: Int?
        while !advance(turn, database) {
            if progress.cancellation.isCancelled {
                leave(turn)
                throw CancellationError()
            }
            let position = line.position(of: turn)
            if let position, position != told {
                progress.annotate(["phase": "queued", "queue_position": String(position)])
                told = position
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
        if told != nil { progress.annotate(["phase": "starting", "queue_position": "0"]) }
        return turn
    }

    func leave(_ turn: Int) {
        line.leave(turn)
        begun.remove(turn)
    }

    private func advance(_ turn: Int, _ database: PoolDatabase) -> Bool {
        begun.formUnion(line.advance { Self.limit($0, database) })
        return begun.contains(turn)
    }

    private static func limit(_ repository: String, _ database: PoolDatabase) -> Int {
        database.read { reader in
            let own = reader.row(Ref<SR>(repository))?[SR.otherConfig][key]
            let common = reader.rows(Pool.self).first?[Pool.otherConfig][key]
            return own.flatMap { Int($0) } ?? common.flatMap { Int($0) } ?? standard
        }
    }
}
