import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a new, empty image.",
        discussion: """
            SIZE is in bytes, or with a binary suffix (K, M, G, T). A file of the name must not exist.

            Example: gantry image create -f qcow2 -o cluster_size=128K disk.qcow2 40G
            """)

    @Option(name: .customShort("f"), help: "Format of the image.")
    var format: DeclaredFormat
    @Option(name: .customShort("o"), help: "Options: subformat=dynamic|fixed, cluster_size=SIZE.")
    var options: [String] = []
    @Option(name: .customShort("b"), help: "Parent image (not built yet).")
    var parent: String?
    @Option(name: .customShort("F"), help: "Format of the parent image (not built yet).")
    var parentFormat: DeclaredFormat?
    @Argument(help: ArgumentHelp("The image to make.", valueName: "file"))
    var file: String
    @Argument(help: ArgumentHelp("Virtual size.", valueName: "size"))
    var size: String?

    func run() throws {
        if parent != nil || parentFormat != nil {
            throw CommandFailure.notBuilt("an image with a parent (-b, -F)", advice: "an image of its own, without -b")
        }
        try refuseStream(file, "FILE")
        guard let size else { throw ValidationError("SIZE is missing") }
        guard let bytes = ByteCount(parsing: size)?.bytes else {
            throw ValidationError("'\(size)' is not a size; expected bytes or e.g. 512M, 40G")
        }
        let format = try format.known()
        let choices = try CreateOptions.reading(options, for: format)
        let made = try doing("cannot create \(file)") { () throws(BlockError) in
            let device = try DiskImage.create(path: file, format: format, size: bytes, options: choices)
            defer { try? device.close() }
            return device.size
        }
        TerminalOutput.standardOutput.write("created \(file): \(format.rawValue), \(ByteCount(made)) (\(made) bytes)\n")
    }
}
