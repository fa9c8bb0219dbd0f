import BlockIO
import CoreTypes
import DiskImages

/// Work on a chain that may take long: it shows its progress when asked to, and stops in order when the program is told
/// to end.
enum ChainWork {
    /// - Parameters:
    ///   - what: for failures, e.g. `cannot commit a.qcow2`.
    ///   - label: for the progress, e.g. `committing`.
    static func run(
        _ what: String, _ label: String, shown: Bool,
        _ body: (ProgressCounter, CancellationFlag) throws(BlockError) -> Void
    ) throws(CommandFailure) {
        let cancellation = CancellationFlag()
        TerminationSignals.cancel(cancellation)
        let counter = ProgressCounter()
        try doing(what) { () throws(BlockError) in
            try ProgressDisplay.during(label, shown: shown, counter: counter) { () throws(BlockError) in
                try body(counter, cancellation)
            }
        }
    }
}
