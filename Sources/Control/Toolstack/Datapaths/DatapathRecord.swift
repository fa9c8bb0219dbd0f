import DatapathControl
import Foundation

/// What the run folder keeps of a data-path process, so that a restarted toolstack finds it: `RUN/dp/<id>/record.json`.
struct DatapathRecord: Codable, Sendable {
    let id: String
    let pid: Int32
    /// With the pid, names the process for ever.
    let startTime: UInt64
    /// What it was started with; what it serves now it says itself.
    let image: ImageSpecification
}

/// A data path that answers.
public struct DatapathHandle: Sendable, Hashable {
    public let id: String
    public let nbdSocket: String
    public let controlSocket: String

    var client: DatapathClient { DatapathClient(socketPath: controlSocket) }
}
