import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        _superCommandName: ImageCommand.path,
        abstract: "Tell how large the file of a new image would be.",
        discussion: """
            "required" is for the content of FILE as its map has it, "fully-allocated" for a disk every byte of which is \
            stored. File systems that keep holes need less. Of a new image on a parent (-o backing_file) no more than "required" is \
            needed: the parent is not read, and what is the same there is counted, too.

            Examples: gantry image measure -f raw -O qcow2 disk.raw
                      gantry image measure --size 1T -O qcow2 -o cluster_size=2M
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat?
    @Option(name: .customShort("O"), help: "Format of the new image.")
    var targetFormat = DeclaredFormat.image(.raw)
    @Option(name: .customShort("o"), help: ArgumentHelp(stringLiteral: CreateOptions.help))
    var options: [String] = []
    @Option(name: .long, help: "Bytes of an empty disk, instead of FILE.")
    var size: PlainSize?
    @Flag(name: .long, help: "Print JSON, the members named as qemu-img names them.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String?

    func validate() throws {
        if (file == nil) == (size == nil) { throw ValidationError("give either FILE or --size") }
        if (file == nil) != (format == nil) { throw ValidationError("FILE needs -f FORMAT, and --size has none") }
    }

    func run() throws {
        if let file { try refuseStream(file, "FILE") }
        let what = "cannot measure \(file ?? "the new image")"
        let target = try targetFormat.writable(what)
        let choices = try CreateOptions.reading(options, for: target)
        let found = try doing(what) { () throws(BlockError) -> ImageMeasure in
            guard let file, let format else {
                return try DiskImage.measure(size: size?.bytes ?? 0, as: target, options: choices)
            }
            let device = try chain.open(file, format)
            defer { try? device.close() }
            return try DiskImage.measure(source: device, as: target, options: choices)
        }
        TerminalOutput.standardOutput.write(
            json
                ? "{\"required\": \(found.required), \"fully-allocated\": \(found.fullyAllocated)}\n"
                : "required size: \(found.required)\nfully allocated size: \(found.fullyAllocated)\n")
    }
}
