import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Glibc
import TerminalUI

/// An image written to standard output, in one pass over its extents and one over its data. One on a parent is where SRC
/// differs from that: the pass before reads both.
struct StreamEmission {
    let what: String
    let input: any BlockDevice
    let format: ImageFormat
    let options: CreateOptions
    /// Finds what the parent of the new image builds on.
    let policy: OpenPolicy
    let progress: Bool
    let cancellation: CancellationFlag

    /// Before anything is read: nobody wants an image on a screen.
    static func checkOutput(_ what: String) throws(CommandFailure) {
        if TerminalOutput.standardOutput.isTerminal {
            throw CommandFailure(
                what, why: "standard output is a terminal", advice: "a pipe, or > FILE",
                status: CommandFailure.Status.usage)
        }
    }

    func run() throws(CommandFailure) {
        try doing(what) { () throws(BlockError) in
            if let parent = options.parent { return try emitChild(of: parent) }
            let files = try SourceFiles(of: input)
            try emit(input, StreamWriteOptions(image: options))
            try files.checkLengths()
        }
    }

    private func emitChild(of parent: CreateOptions.Parent) throws(BlockError) {
        // The image has no folder that names could start at but the one where this runs.
        let reference = parent.reference(from: "")
        var image = options
        image.parent = nil
        let writing = StreamWriteOptions(
            image: image, base: try StreamWriteOptions.Base(naming: parent, for: format))
        // Both disks may take hours to compare.
        try StreamPlan.check(writing, format, size: input.size)
        let below = try DiskImage.open(reference, policy: policy)
        do throws(BlockError) {
            // What a file loses reads as zeroes, which must not pass for what the parent, or the disk, holds.
            let files = [try SourceFiles(of: input), try SourceFiles(of: below)]
            let counter = ProgressCounter()
            let difference = try ProgressDisplay.during("comparing", shown: progress, counter: counter) {
                () throws(BlockError) in
                try DifferenceDevice(of: input, from: below, progress: counter, cancellation: cancellation)
            }
            try emit(difference, writing)
            for one in files { try one.checkLengths() }
        } catch {
            try? below.close()
            throw error
        }
        try below.close()
    }

    private func emit(_ device: any BlockDevice, _ writing: StreamWriteOptions) throws(BlockError) {
        let counter = ProgressCounter()
        try ProgressDisplay.during("writing", shown: progress, counter: counter) { () throws(BlockError) in
            try DiskImage.writeStream(
                of: device, as: format, options: writing, to: DescriptorSink(1, cancellation: cancellation),
                progress: counter, cancellation: cancellation)
        }
    }
}
