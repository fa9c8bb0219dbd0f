import BlockIO
import CoreTypes
import DiskImages

/// Work on a chain that may take long: it shows its progress when asked to, and stops in order when the program is told
/// to end.
enum ChainWork {
    /// - Parameters:
    ///   - what: for failures, e.g. `cannot commit a.qcow2`.
    ///   - label: for the progress, e.g. `committing`.
    ///   - image: of which, and of its parents, is told what a person should know; nil: nothing is opened for that.
    static func run(
        _ what: String, _ label: String, on image: ImageReference?, _ chain: ChainOptions, shown: Bool,
        _ body: (ProgressCounter, CancellationFlag) throws(BlockError) -> Void
    ) throws(CommandFailure) {
        let cancellation = CancellationFlag()
        TerminationSignals.cancel(cancellation)
        if let image {
            try doing(what) { () throws(BlockError) in
                try DeviceNotes.tellChain(image.path, image.format, chain.policy())
            }
        }
        let counter = ProgressCounter()
        try doing(what) { () throws(BlockError) in
            try ProgressDisplay.during(label, shown: shown, counter: counter) { () throws(BlockError) in
                try body(counter, cancellation)
            }
        }
    }
}
