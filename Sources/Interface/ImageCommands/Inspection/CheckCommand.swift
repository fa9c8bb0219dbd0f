import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        _superCommandName: ImageCommand.path,
        abstract: "Look for damage in an image, and repair it.",
        discussion: """
            Nobody else may have the image open. Without -r nothing is written. -r leaks gives back space that nothing \
            uses; -r all also puts right what can be. The exit code tells the state afterwards.

            Exit codes: 0 sound, 1 the check failed, 2 wrong usage, 3 damaged or space leaked.
            Example: gantry image check -f qcow2 -r all disk.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Option(
        name: [.customShort("r"), .customLong("repair")], help: "What to put right: leaks or all.")
    var repair: RepairChoice?
    @Flag(name: .long, help: "Print JSON, the members named as qemu-img names them.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    static let damaged: Int32 = 3

    func run() throws {
        let what = "cannot check \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        let cancellation = CancellationFlag()
        TerminationSignals.each { cancellation.cancel() }
        let report = try doing(what) { () throws(BlockError) in
            try DiskImage.check(
                path: file, format: format, repair: repair, policy: chain.policy(), cancellation: cancellation)
        }
        let told = CheckText(filename: file, format: format, report: report)
        TerminalOutput.standardOutput.write((json ? try JSONText.pretty(told) : told.text) + "\n")
        if !report.isClean { throw ExitCode(Self.damaged) }
    }
}
