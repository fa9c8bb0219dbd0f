import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct ResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize",
        _superCommandName: ImageCommand.path,
        abstract: "Change the virtual size of an image.",
        discussion: """
            SIZE is in bytes, or with a binary suffix (K, M, G, T); with + or - it is added or taken away (write -- before \
            a size that begins with -). A larger disk reads as zeroes in its new part. Partitions and file systems are \
            the guest's to adapt: after enlarging, before making smaller.

            Example: gantry image resize -f vhd disk.vhd +10G
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .long, help: "Allow a smaller size, which destroys what lies behind it.")
    var shrink = false
    @Option(name: .long, help: "Space for the new part: off, metadata, falloc or full.")
    var preallocation = CreateOptions.Preallocation.off
    @Flag(name: .long, help: "Print the result as JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String
    @Argument(help: ArgumentHelp("The new virtual size.", valueName: "size"))
    var size: SizeArgument

    func run() throws {
        let what = "cannot resize \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        let new = try doing(what) { () throws(BlockError) -> UInt64 in
            let present = try DiskImage.info(path: file, format: format, vhdSize: chain.vhdSize).virtualSize
            guard let new = size.applied(to: present) else {
                throw BlockError(.outOfRange, "the disk has \(present) bytes; there is no such size")
            }
            try DeviceNotes.tellChain(file, format, chain.policy())
            try DiskImage.resize(
                path: file, format: format, to: new, shrink: shrink, preallocation: preallocation,
                policy: chain.policy())
            return try DiskImage.info(path: file, format: format, vhdSize: chain.vhdSize).virtualSize
        }
        let output = TerminalOutput.standardOutput
        if json {
            let report = ResultReport(filename: file, format: format.rawValue, virtualSize: new)
            return output.write(try JSONText.pretty(report) + "\n")
        }
        output.write("resized \(file) to \(ByteCount(new)) (\(new) bytes)\n")
    }
}
