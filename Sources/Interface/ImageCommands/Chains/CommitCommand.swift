import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CommitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit",
        _superCommandName: ImageCommand.path,
        abstract: "Write what an image holds into its parent.",
        discussion: """
            Afterwards the parent shows what FILE does. Other children of the parent would see it change: there must be \
            none (coalesce is for an image that has children itself). A VHDX or VMDK parent can only be read: nothing goes there. Interrupted, it can simply be done again. FILE is \
            emptied where its format allows that, unless -d is given.

            Example: gantry image commit -f qcow2 --follow /images /images/child.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .customShort("d"), help: "Leave the content of FILE as it is.")
    var keep = false
    @Flag(name: .customShort("p"), help: "Show progress on standard error.")
    var progress = false
    @Flag(name: .long, help: "Print the result as JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func run() throws {
        let what = "cannot commit \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        let image = ImageReference(path: file, format: format)
        try ChainWork.run(what, "committing", on: image, chain, shown: progress) {
            (counter, cancellation) throws(BlockError) in
            try DiskImage.commit(
                path: file, format: format, policy: chain.policy(), empties: !keep && format == .qcow2,
                progress: counter, cancellation: cancellation)
        }
        let output = TerminalOutput.standardOutput
        if json {
            let report = ResultReport(filename: file, format: format.rawValue, isEmptied: !keep && format == .qcow2)
            return output.write(try JSONText.pretty(report) + "\n")
        }
        output.write("the parent of \(file) holds its content now\n")
    }
}
