import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        _superCommandName: ImageCommand.path,
        abstract: "List what is stored where on the virtual disk.",
        discussion: "Example: gantry image map -f vhd --json disk.vhd")

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .long, help: "Print JSON, the members named as qemu-img names them.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func run() throws {
        try refuseStream(file, "FILE")
        let isRaw = if case .image(.raw) = format { true } else { false }
        let isVHD = if case .image(.vhd) = format { true } else { false }
        // Asking the parser's property for each of millions of lines takes longer than writing them.
        let json = json
        try doing("cannot map \(file)") { () throws(BlockError) in
            let device = try chain.open(file, format)
            defer { try? device.close() }
            // What of a VHD's blocks is stored, only the file system knows.
            var walk = HostExtentWalk(device, resolvingHoles: isVHD)
            var text = MapText(json ? .json : .columns, isRaw: isRaw, output: .standardOutput)
            var held: HostExtent?
            while let extent = try walk.next() {
                if let before = held, adjoins(before, extent, json) {
                    held?.length += extent.length
                } else {
                    if let before = held { text.add(before) }
                    held = extent
                }
            }
            if let held { text.add(held) }
            text.end()
        }
    }

    /// Two runs are one line: in columns also when they lie apart in the file.
    @inline(__always)
    private func adjoins(_ before: HostExtent, _ next: HostExtent, _ json: Bool) -> Bool {
        json ? before.isContinued(by: next) : before.kind == next.kind && before.depth == next.depth
    }
}
