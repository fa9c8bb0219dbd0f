import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "List what is stored where on the virtual disk.",
        discussion: "Example: gantry image map -f vhd --json disk.vhd")

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .long, help: "Print JSON, the members named as qemu-img names them.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    /// One run. `present` is false where no image of the chain says anything.
    private struct Run {
        let start: UInt64
        let length: UInt64
        let depth: Int
        let present: Bool
        let zero: Bool
        let data: Bool
        /// Where it is in the file; nil where the engine does not tell.
        let offset: UInt64?

        init(_ extent: Extent, isRaw: Bool) {
            start = extent.offset
            length = extent.length
            depth = extent.depth
            present = extent.kind != .hole || isRaw
            zero = extent.kind != .data
            data = extent.kind == .data
            offset = isRaw ? extent.offset : nil
        }

        var line: String {
            """
            {"start": \(start), "length": \(length), "depth": \(depth), "present": \(present), "zero": \(zero), \
            "data": \(data)\(offset.map { ", \"offset\": \($0)" } ?? "")}
            """
        }
    }

    func run() throws {
        try refuseStream(file, "FILE")
        let isRaw = if case .image(.raw) = format { true } else { false }
        let output = TerminalOutput.standardOutput
        try doing("cannot map \(file)") { () throws(BlockError) in
            let device = try chain.open(file, format)
            defer { try? device.close() }
            output.write(json ? "[" : "\(column("start"))\(column("length"))kind\n")
            var isFirst = true
            try eachRun(of: device) { extent in
                if json {
                    output.write((isFirst ? "" : ",\n") + Run(extent, isRaw: isRaw).line)
                } else {
                    output.write("\(column(String(extent.offset)))\(column(String(extent.length)))\(extent.kind)\n")
                }
                isFirst = false
            }
            if json { output.write("]\n") }
        }
    }

    /// Joined extents in order, in bounded memory.
    private func eachRun(of device: any BlockDevice, _ body: (Extent) -> Void) throws(BlockError) {
        var held: Extent?
        var batch: [Extent] = []
        var position: UInt64 = 0
        while position < device.size {
            batch.removeAll(keepingCapacity: true)
            try device.appendExtents(to: &batch, at: position, length: min(1 << 30, device.size - position))
            guard let last = batch.last, last.end > position else {
                throw BlockError(.io, "the extent map does not advance", offset: position)
            }
            for extent in batch {
                if let before = held, before.kind == extent.kind, before.depth == extent.depth {
                    held?.length += extent.length
                } else {
                    if let before = held { body(before) }
                    held = extent
                }
            }
            position = last.end
        }
        if let held { body(held) }
    }

    private func column(_ text: String) -> String {
        text + String(repeating: " ", count: max(1, 20 - text.count))
    }
}
