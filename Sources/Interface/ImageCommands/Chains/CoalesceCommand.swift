import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CoalesceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coalesce",
        _superCommandName: ImageCommand.path,
        abstract: "Take an image out of the middle of a chain.",
        discussion: """
            What FILE holds goes into its parent, and its children, which must all be named, are put on the parent. Every \
            image shows the same as before at each moment, and doing it again after an interruption is harmless. FILE \
            itself is left; remove it when this has succeeded.

            Example: gantry image coalesce -f vhd --follow /sr --child vhd:/sr/leaf.vhd /sr/middle.vhd
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("An image whose parent FILE is. Repeat it for each.", valueName: "format:path"))
    var child: [ParentArgument] = []
    @Flag(name: .customShort("p"), help: "Show progress on standard error.")
    var progress = false
    @Flag(name: .long, help: "Print the result as JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func run() throws {
        let what = "cannot coalesce \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        var children: [ImageReference] = []
        for one in child {
            children.append(ImageReference(path: one.path, format: try one.format.writable(what)))
        }
        let image = ImageReference(path: file, format: format)
        try ChainWork.run(what, "coalescing", on: image, chain, shown: progress) {
            (counter, cancellation) throws(BlockError) in
            try DiskImage.coalesce(
                path: file, format: format, children: children, policy: chain.policy(), progress: counter,
                cancellation: cancellation)
        }
        let output = TerminalOutput.standardOutput
        if json {
            let report = ResultReport(filename: file, format: format.rawValue, children: children.count)
            return output.write(try JSONText.pretty(report) + "\n")
        }
        output.write("\(file) is out of its chain, and can be removed\n")
    }
}
