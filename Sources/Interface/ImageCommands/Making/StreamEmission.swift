import BlockIO
import CoreTypes
import DiskImages
import Glibc
import TerminalUI

/// An image written to standard output, in one pass over its extents and one over its data.
struct StreamEmission {
    let what: String
    let input: any BlockDevice
    let format: ImageFormat
    let options: CreateOptions
    let progress: Bool
    let cancellation: CancellationFlag

    func run() throws(CommandFailure) {
        if TerminalOutput.standardOutput.isTerminal {
            throw CommandFailure(
                what, why: "standard output is a terminal", advice: "a pipe, or > FILE",
                status: CommandFailure.Status.usage)
        }
        try doing(what) { () throws(BlockError) in
            let counter = ProgressCounter()
            try ProgressDisplay.during("writing", shown: progress, counter: counter) { () throws(BlockError) in
                try DiskImage.writeStream(
                    of: input, as: format, options: StreamWriteOptions(image: options),
                    to: DescriptorSink(1, cancellation: cancellation), progress: counter, cancellation: cancellation)
            }
        }
    }
}
