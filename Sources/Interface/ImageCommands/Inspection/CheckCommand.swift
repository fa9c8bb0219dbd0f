import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CheckCommand: ParsableCommand, KnownExitCodes {
    static let configuration = CommandConfiguration(
        commandName: "check",
        _superCommandName: ImageCommand.path,
        abstract: "Look for damage in an image, and repair it.",
        discussion: """
            Nobody else may have the image open. Without -r nothing is written. -r leaks gives back space that nothing \
            uses; -r all also puts right what can be. The exit code tells the state afterwards.

            Exit codes, as of qemu-img: 0 sound, 1 the check failed (wrong usage, too), 2 damaged, 3 nothing but space \
            leaked, 63 images of the format have nothing that could be checked.
            Example: gantry image check -f qcow2 -r all disk.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Option(
        name: [.customShort("r"), .customLong("repair")], defaultAsFlag: .all, parsing: .next,
        help: "What to put right: leaks or all; all where it does not say.")
    var repair: RepairChoice?
    @Flag(name: .long, help: "Print JSON, the members named as qemu-img names them.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    // What -r is followed by, and is none of its values, comes here as the file, and the file as more.
    @Argument(help: .hidden)
    var more: [String] = []

    static let failed: Int32 = 1
    static let wrongUsage: Int32 = 1
    static let damaged: Int32 = 2
    static let leaky: Int32 = 3
    static let uncheckable: Int32 = 63

    func validate() throws {
        guard let next = more.first else { return }
        throw ValidationError(
            "one FILE is checked at a time, not '\(file)' and '\(next)'; what -r repairs is leaks or all")
    }

    func run() throws {
        let what = "cannot check \(file)"
        try refuseStream(file, "FILE")
        let format = try checkable(what)
        let cancellation = CancellationFlag()
        TerminationSignals.cancel(cancellation)
        let report = try doing(what) { () throws(BlockError) in
            try DiskImage.check(
                path: file, format: format, repair: repair, policy: chain.policy(), cancellation: cancellation)
        }
        let told = CheckText(filename: file, format: format, report: report)
        TerminalOutput.standardOutput.write((json ? try JSONText.pretty(told) : told.text) + "\n")
        if report.corruptions > 0 { throw ExitCode(Self.damaged) }
        if report.leaks > 0 { throw ExitCode(Self.leaky) }
    }

    private func checkable(_ what: String) throws(CommandFailure) -> ImageFormat {
        let known: ImageFormat
        do throws(CommandFailure) {
            known = try format.writable(what)
        } catch {
            throw error.with(status: Self.uncheckable)
        }
        guard known != .raw else {
            throw CommandFailure(
                what, why: "a raw image has no structure that could be checked", status: Self.uncheckable)
        }
        return known
    }
}
