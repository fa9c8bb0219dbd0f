import Foundation
import PoolDatabase

/// Whether the toolstack can do its work now.
public struct HealthReport: Sendable {
    public let isHealthy: Bool
    /// One JSON object.
    public let json: String
}

/// Answers `/health`: a write to the database that is durable, and data paths that answer. Asked often, it looks at most
/// once in five seconds.
public actor HealthCheck {
    private let database: PoolDatabase
    private let metrics: MetricsService
    private var probe: Task<Void, Never>?
    private var lastCommit: Double?
    private var failure = ""
    private var checked: ContinuousClock.Instant?

    private static let freshness = Duration.seconds(5)
    private static let patience = Duration.seconds(5)
    static let recordKind = "health"

    init(database: PoolDatabase, metrics: MetricsService) {
        self.database = database
        self.metrics = metrics
    }

    public func report() async -> HealthReport {
        if checked.map({ ContinuousClock.now - $0 > Self.freshness }) ?? true {
            if probe == nil { probe = Task { await write() } }
            let deadline = ContinuousClock.now + Self.patience
            // A disk that hangs must not make us hang.
            while probe != nil, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
            if probe != nil { failure = "the database has not answered for \(Self.patience)" }
        }
        let (answering, silent) = (await metrics.answering.count, await metrics.silent.count)
        let isHealthy = failure.isEmpty && silent == 0
        let members: [(String, String)] = [
            ("status", "\"\(isHealthy ? "ok" : "failing")\""),
            (
                "database",
                "{\"writable\":\(failure.isEmpty),\"last_commit\":\(lastCommit.map { String(Int64($0)) } ?? "null")}"
            ),
            ("datapaths", "{\"answering\":\(answering),\"silent\":\(silent)}"),
        ]
        let json = "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}\n"
        return HealthReport(isHealthy: isHealthy, json: json)
    }

    private func write() async {
        let now = Date().timeIntervalSince1970
        do {
            try await database.transaction { tx in
                tx.setPrivate(kind: Self.recordKind, key: "probe", value: String(now))
            }
            lastCommit = now
            failure = ""
        } catch {
            failure = "\(error)"
        }
        checked = .now
        probe = nil
    }
}
