import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct RebaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebase",
        _superCommandName: ImageCommand.path,
        abstract: "Put an image on another parent, or on none.",
        discussion: """
            FILE shows the same as before: what the old and the new parent show differently is stored in it first. With -u \
            only the name changes, for a parent that was moved or renamed. -b "" makes an image that needs no parent. The \
            present parents are found with --parent or --follow. The parent of a qcow2 image may be of any format, that of a VHD is a VHD \
            or raw.

            Example: gantry image rebase -f qcow2 --follow /images -b new-base.qcow2 -F qcow2 /images/child.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .customShort("u"), help: "Change the name only; the old parent need not exist.")
    var unsafe = false
    @Option(
        name: .customShort("b"),
        help: ArgumentHelp(
            "The new parent, as it is to be named in FILE: relative to its folder, or absolute. Empty: none.",
            valueName: "parent"))
    var parent: String
    @Option(name: .customShort("F"), help: ArgumentHelp("Format of the new parent.", valueName: "format"))
    var parentFormat: DeclaredFormat?
    @Flag(name: .customShort("p"), help: "Show progress on standard error.")
    var progress = false
    @Flag(name: .long, help: "Print the result as JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func validate() throws {
        if parent.isEmpty != (parentFormat == nil) {
            throw ValidationError("-b and -F belong together: formats are never guessed")
        }
    }

    func run() throws {
        let what = "cannot rebase \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        var reference: ParentReference?
        if let parentFormat {
            reference = ParentReference(
                path: NameInImage.path(of: parent, in: file), format: parentFormat.asParent)
        }
        // Where only the name changes, no parent need be there.
        let image = unsafe ? nil : ImageReference(path: file, format: format)
        try ChainWork.run(what, "rebasing", on: image, chain, shown: progress) {
            (counter, cancellation) throws(BlockError) in
            try DiskImage.rebase(
                path: file, format: format, to: reference, storedName: parent.isEmpty ? nil : parent,
                mode: unsafe ? .unsafe : .safe, policy: chain.policy(), progress: counter,
                cancellation: cancellation)
        }
        let output = TerminalOutput.standardOutput
        if json {
            let report = ResultReport(
                filename: file, format: format.rawValue, backingFilename: parent.isEmpty ? nil : parent,
                backingFormat: reference?.format.name)
            return output.write(try JSONText.pretty(report) + "\n")
        }
        output.write(
            reference.map { "\(file) is on \($0.path) now\n" } ?? "\(file) needs no parent any more\n")
    }
}
