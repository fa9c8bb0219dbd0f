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

    /// Whether both images are to be compared, or compared again.
    /// - Parameters:
    ///   - isWished: also where all was copied by the first connection.
    ///   - wasCompared: they were, as far as the asker knows. A data path that says so itself knows better.
    func mustBeCompared(isWished: Bool, wasCompared: Bool) -> Bool {
        if phase == .dual { return false }
        if let isCompared = details?.isCompared { return !isCompared && (isWished || isReconnected) }
        return isWished && !wasCompared || isReconnected
    }
}

/// By which connections mirrors were when both of their images were last known to be alike.
struct ComparedMirrors: Sendable {
    /// A data path that was started again, or one that has connected again, has another one.
    struct Connection: Hashable, Sendable {
        let process: Int32
        let retries: UInt64
        let resumedBytes: UInt64

        init(_ status: DatapathStatus) {
            process = status.pid
            retries = status.mirror?.details?.retries ?? 0
            resumedBytes = status.mirror?.details?.resumedBytes ?? 0
        }
    }

    private var known: [Int: Connection] = [:]

    /// `isWished`: also of those by whose first connection all was copied.
    func mustCompare(_ index: Int, _ status: DatapathStatus, isWished: Bool) -> Bool {
        if let mirror = status.mirror, mirror.details?.isCompared != nil {
            return mirror.mustBeCompared(isWished: isWished, wasCompared: false)
        }
        if let known = known[index] { return known != Connection(status) }
        return isWished || status.mirror?.isReconnected == true
    }

    /// What another has found out later.
    mutating func add(_ other: ComparedMirrors) { known.merge(other.known) { $1 } }

    /// What is known of one alone.
    func of(_ index: Int) -> ComparedMirrors {
        var one = ComparedMirrors()
        one.known[index] = known[index]
        return one
    }

    /// They are alike, by this connection.
    mutating func note(_ index: Int, _ status: DatapathStatus) { known[index] = Connection(status) }
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

/// For a wait beside another whose phase counts: only what is wrong with a mirror is told.
struct BesideProgress: TaskProgress {
    private let whole: any TaskProgress

    init(_ whole: any TaskProgress) { self.whole = whole }

    var cancellation: CancellationFlag { whole.cancellation }
    var entries: [String: String] { whole.entries }
    func report(_ fraction: Double) {}
    func annotate(_ entries: [String: String]) {
        let told = entries.filter { $0.key.hasPrefix("mirror_") }
        if !told.isEmpty { whole.annotate(told) }
    }
}
