import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        _superCommandName: ImageCommand.path,
        abstract: "Make a new, empty image.",
        discussion: """
            SIZE is in bytes, or with a binary suffix (K, M, G, T). A file of the name must not exist; the image appears \
            under it when it is complete and on disk. With -b the image \
            holds only what differs from its parent, whose name is stored as given: relative to the image's folder, or \
            absolute; SIZE is the parent's unless given. When the parent has a parent itself, --parent names all of them or \
            --follow says where they are. The parent of a qcow2 image may be of any format, VHDX and VMDK included, which can only be \
            read; that of a VHD is a VHD or raw.

            FILE may be a block device for a qcow2 image or VHD; --overwrite makes one also where the device holds something.

            Example: gantry image create -f qcow2 -o cluster_size=128K disk.qcow2 40G
            """)

    @Option(name: .customShort("f"), help: "Format of the image.")
    var format: DeclaredFormat
    @Option(name: .customShort("o"), help: ArgumentHelp(stringLiteral: CreateOptions.help))
    var options: [String] = []
    @Option(name: .customShort("b"), help: ArgumentHelp("Parent image.", valueName: "parent"))
    var parent: String?
    @Option(
        name: .customShort("F"),
        help: ArgumentHelp(
            "Format of the parent image: raw or vhd, for a qcow2 image also qcow2, vhdx or vmdk.", valueName: "format"))
    var parentFormat: DeclaredFormat?
    @Flag(name: .long, help: "FILE is a block device (qcow2, vhd): what it holds is lost.")
    var overwrite = false
    @Flag(name: .long, help: "Print the result as JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image to make.", valueName: "file"))
    var file: String
    @Argument(help: ArgumentHelp("Virtual size.", valueName: "size"))
    var size: String?

    func validate() throws {
        if (parent == nil) != (parentFormat == nil) {
            throw ValidationError("-b and -F belong together: formats are never guessed")
        }
        if chain.dataFile != nil {
            throw ValidationError(
                "--data-file is for an image that is there; -o data_file=PATH makes a new one that keeps its data there"
            )
        }
    }

    func run() throws {
        let what = "cannot create \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        var choices = try CreateOptions.reading(options, for: format)
        if let parent, let parentFormat {
            if let other = choices.parent {
                throw ValidationError(
                    "-b names the parent, and so does -o backing_file=\(other.name): give one of them")
            }
            choices.parent = CreateOptions.Parent(name: parent, format: parentFormat.asParent)
        }
        let bytes = try requestedSize(choices)
        var policy = try doing(what) { () throws(BlockError) in try chain.policy() }
        if choices.parent == nil {
            policy.vhdSize = .creator
        } else {
            try chain.refuseGeometry(of: format, what)
        }
        // Reserving space may take long, and nothing of it can be used before it is done.
        TerminationSignals.each { _ in
            TerminalOutput.standardError.write(CommandFailure(what, why: "interrupted").description + "\n")
            TerminationSignals.endAtOnce()
        }
        let pending = try PendingFile(exclusive: file, device: DeviceUse(format, overwrites: overwrite))
        let made = try doing(what) { () throws(BlockError) in
            let device = try pending.create(format: format, size: bytes, options: choices, policy: policy)
            let size = device.size
            try device.close()
            try pending.publish()
            return size
        }
        let output = TerminalOutput.standardOutput
        if json {
            let report = ResultReport(filename: file, format: format.rawValue, virtualSize: made)
            return output.write(try JSONText.pretty(report) + "\n")
        }
        output.write("created \(file): \(format.rawValue), \(ByteCount(made)) (\(made) bytes)\n")
    }

    /// SIZE, or the parent's size without it.
    private func requestedSize(_ choices: CreateOptions) throws -> UInt64 {
        if let size {
            guard let bytes = ByteCount(parsing: size)?.bytes else {
                throw ValidationError("'\(size)' is not a size; expected bytes or e.g. 512M, 40G")
            }
            return bytes
        }
        guard let parent = choices.parent else { throw ValidationError("SIZE is missing") }
        return try doing("cannot ask the parent for its size") { () throws(BlockError) in
            try DiskImage.virtualSize(
                of: parent.reference(from: RealPath.of(file) ?? file), vhdSize: chain.vhdSize)
        }
    }
}
