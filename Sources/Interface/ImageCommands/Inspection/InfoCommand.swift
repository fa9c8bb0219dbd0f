import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        _superCommandName: ImageCommand.path,
        abstract: "Tell what the header of an image says.",
        discussion: """
            The file may be in use; nothing but its header is read and no other file is opened. --probe finds the format \
            by its marks and is for new files from outside only: never for a disk that a guest can write.

            Example: gantry image info -f qcow2 --json disk.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat?
    @Flag(name: .long, help: "Find the format by the marks in the file.")
    var probe = false
    @Flag(name: .long, help: "Tell about the ancestors, too, as far as --parent or --follow allow (JSON: an array).")
    var backingChain = false
    @Flag(name: .long, help: "Print JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func validate() throws {
        if (format == nil) != probe { throw ValidationError("give either -f FORMAT or --probe") }
    }

    func run() throws {
        try refuseStream(file, "FILE")
        let what = "cannot tell about \(file)"
        let known = if let format { format } else { try probed(what) }
        if backingChain { return try tellChain(known, what) }
        let report = try doing(what) { () throws(BlockError) in
            try InfoReport(path: file, format: known, vhdSize: chain.vhdSize)
        }
        TerminalOutput.standardOutput.write((json ? try JSONText.pretty(report) : report.text) + "\n")
    }

    private func tellChain(_ format: DeclaredFormat, _ what: String) throws {
        let reports = try doing(what) { () throws(BlockError) -> [InfoReport] in
            var reports: [InfoReport] = []
            let found = try chain.lineage(file, format)
            for image in found.images {
                reports.append(
                    try InfoReport(
                        path: image.path, format: DeclaredFormat(image.format), vhdSize: chain.vhdSize))
            }
            InfoReport.distribute(found.notes, to: &reports)
            return reports
        }
        TerminalOutput.standardOutput.write(
            (json ? try JSONText.pretty(reports) : reports.map(\.text).joined(separator: "\n\n")) + "\n")
    }

    private func probed(_ what: String) throws(CommandFailure) -> DeclaredFormat {
        switch try doing(what, { () throws(BlockError) in try DiskImage.probe(path: file) }) {
        case .format(let format): return .image(format)
        case .importable(let format): return .importOnly(format)
        case .other(let name):
            guard let packed = StreamCompression(rawValue: name) else {
                throw CommandFailure(what, why: "it looks like \(name), which gantry does not open", advice: nil)
            }
            throw CommandFailure(
                what, why: "it is packed as a whole with \(name), and shows no image before it is unpacked",
                advice: "gantry image convert --decompress \(packed.rawValue), and -f for what was packed")
        case .rawCandidate(let hint):
            throw CommandFailure(
                what, why: "it has no image format's marks" + (hint.map { " (its content is \($0))" } ?? ""),
                advice: "-f raw, if you know that it is raw")
        case .ambiguous(let names):
            throw CommandFailure(
                what, why: "it has the marks of several formats: \(names.joined(separator: ", "))",
                advice: "-f FORMAT, if you know which one it is; a file made to deceive looks like this")
        }
    }
}
