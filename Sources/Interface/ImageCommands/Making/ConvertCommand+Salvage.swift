import ArgumentParser
import BlockCopy
import BlockIO
import CoreTypes
import DiskImages

/// A source that may not be readable as a whole.
extension ConvertCommand {
    /// The exit code where DST is there, and something of SRC is not in it.
    static let incomplete: Int32 = 3

    /// What makes no sense with `--salvage`.
    func refuseBesideSalvage() throws {
        if !salvage { return }
        if source == "-" || decompress != nil || target == "-" {
            throw ValidationError(
                "--salvage needs SRC and DST to be files: a stream that fails has ended, and what is in a pipe is told to "
                    + "nobody")
        }
        if verify {
            throw ValidationError(
                "--verify reads SRC again, and what a failing disk gives twice is not the same: leave --verify or --salvage "
                    + "out")
        }
    }

    func refuseSalvageUnderParent(_ choices: CreateOptions, _ what: String) throws(CommandFailure) {
        guard salvage, choices.parent != nil else { return }
        throw CommandFailure(
            what, why: "what is lost would hide what the parent has there",
            advice: "leaving --salvage or backing_file out", status: CommandFailure.Status.usage)
    }

    /// Nil where the first error shall end the copy.
    func salvaging(
        _ input: any BlockDevice, _ what: String, _ cancellation: CancellationFlag
    ) throws(CommandFailure) -> SalvagedDevice? {
        if !salvage { return nil }
        return try doing(what) { () throws(BlockError) in
            try SalvagedDevice(input, cancellation: cancellation)
        }
    }

    /// Ends the command with the exit code for it where something was lost.
    func tellLost(_ salvaged: SalvagedDevice) throws {
        if salvaged.lost.ranges.isEmpty { return }
        SalvageText.tell(salvaged, source: source, target: target)
        throw ExitCode(Self.incomplete)
    }
}
