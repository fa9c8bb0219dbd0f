import CoreTypes

/// For work that no task stands for.
struct UnwatchedProgress: TaskProgress {
    let cancellation = CancellationFlag()
    func report(_ fraction: Double) {}
    func annotate(_ entries: [String: String]) {}
}
