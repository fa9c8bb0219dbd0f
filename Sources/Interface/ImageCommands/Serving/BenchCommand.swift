import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        _superCommandName: ImageCommand.path,
        abstract: "Measure how fast an image serves requests.",
        discussion: """
            Reads from the image, without NBD between. With -w it writes, and DESTROYS what the image holds.

            Example: gantry image bench -f qcow2 -c 100000 -d 4 -s 4K --random disk.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .customShort("w"), help: "Write instead of reading. Destroys the content.")
    var write = false
    @Option(name: .customShort("c"), help: ArgumentHelp("Requests in all.", valueName: "count"))
    var count: UInt64 = 75000
    @Option(name: .customShort("d"), help: ArgumentHelp("Requests at a time.", valueName: "depth"))
    var depth = 1
    @Option(name: .customShort("s"), help: ArgumentHelp("Size of a request.", valueName: "size"))
    var size = PlainSize(bytes: 4096)
    @Option(
        name: .customShort("S"),
        help: ArgumentHelp("From one request to the next; the size of a request unless given.", valueName: "step"))
    var step: PlainSize?
    @Option(name: .customShort("o"), help: ArgumentHelp("Where the first request is.", valueName: "offset"))
    var offset = PlainSize(bytes: 0)
    @Flag(name: .long, help: "Requests at random places, the same in each run.")
    var random = false
    @Option(name: .long, help: ArgumentHelp("With -w: flush after this many requests.", valueName: "count"))
    var flushInterval: UInt64 = 0
    @Option(name: .long, help: ArgumentHelp("With -w: the byte to write.", valueName: "byte"))
    var pattern: UInt8 = 0xA5
    @Flag(name: .long, help: "Print JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func validate() throws {
        if !(1...256).contains(depth) { throw ValidationError("-d is 1 to 256") }
        if size.bytes == 0 || size.bytes > 64 << 20 { throw ValidationError("-s is 1 byte to 64 MiB") }
        if flushInterval > 0 && !write { throw ValidationError("--flush-interval needs -w") }
    }

    func run() throws {
        let what = "cannot measure \(file)"
        try refuseStream(file, "FILE")
        let result = try doing(what) { () throws(BlockError) -> RequestBench.Result in
            let device = try opened(what)
            defer { try? device.close() }
            guard device.size >= size.bytes else {
                throw BlockError(.outOfRange, "a request is larger than the disk of \(device.size) bytes")
            }
            let bench = RequestBench(
                device: device, count: count, size: Int(size.bytes), step: step?.bytes ?? size.bytes,
                start: offset.bytes, random: random, pattern: write ? pattern : nil, flushInterval: flushInterval)
            return try bench.run(threads: depth)
        }
        TerminalOutput.standardOutput.write((json ? try JSONText.pretty(result) : result.text) + "\n")
    }

    private func opened(_ what: String) throws(BlockError) -> any BlockDevice {
        if case .image(let format) = format, write {
            let device = try DiskImage.open(path: file, format: format, readOnly: false, policy: chain.policy())
            DeviceNotes.tell(device, file)
            return device
        }
        if write { throw BlockError(.readOnly, "\(format.name) images can only be read", path: file) }
        return try chain.open(file, format)
    }
}
