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
    /// It opens no other files than those it was started with: what it needs later is handed over. Nil from earlier versions.
    var isConfined: Bool?
}

/// A data path that answers.
public struct DatapathHandle: Sendable, Hashable {
    public let id: String
    public let nbdSocket: String
    public let controlSocket: String
    /// As the record's.
    var isConfined = false

    var client: DatapathClient { DatapathClient(socketPath: controlSocket, handsFilesOver: isConfined) }
}
