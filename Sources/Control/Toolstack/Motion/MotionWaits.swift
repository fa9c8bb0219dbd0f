import CoreTypes
import DatapathControl

extension MirrorStatus {
    /// The destination is reached over a network, and not by the connection by which the copy began.
    var isReconnected: Bool {
        guard destination.format == ImageSpecification.remote, let details else { return false }
        return details.retries > 0 || details.resumedBytes > 0
    }
}

/// For a wait whose share of the task is over, but whose errors count, and which follows what is wished meanwhile.
struct SilentProgress: TaskProgress {
    private let part: any TaskProgress
    let cancellation: CancellationFlag

    /// `part`: whose notes these are; `whole`: what is cancelled.
    init(_ part: any TaskProgress, _ whole: any TaskProgress) {
        self.part = part
        cancellation = whole.cancellation
    }

    var entries: [String: String] { part.entries }
    func report(_ fraction: Double) {}
    func annotate(_ entries: [String: String]) { part.annotate(entries) }
}
