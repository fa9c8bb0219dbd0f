import CoreTypes
import DatapathControl

extension MirrorStatus {
    /// The destination is an export, and not reached by the connection by which the copy began: a server that was given up
    /// because it said nothing may live, on a Unix socket, too.
    var isReconnected: Bool {
        guard let details else { return false }
        // A data path that says it knows more: also of processes before it, and of comparisons since.
        if let mustBeCompared = details.mustBeCompared { return mustBeCompared }
        guard [ImageSpecification.remote, ImageSpecification.nbd].contains(destination.format) else { return false }
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
