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
    /// The number of the user that it is, and no other data path is. Nil: the toolstack's own.
    var user: UInt32?
}

/// A data path that answers.
public struct DatapathHandle: Sendable, Hashable {
    public let id: String
    public let nbdSocket: String
    public let controlSocket: String
    /// As the record's.
    var isConfined = false
    /// What connects to servers in its place, as `DatapathClient`'s.
    var dialer: String?

    var client: DatapathClient {
        DatapathClient(socketPath: controlSocket, handsFilesOver: isConfined, dialer: dialer)
    }
}
