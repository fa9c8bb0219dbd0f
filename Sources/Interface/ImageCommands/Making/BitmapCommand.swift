import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct BitmapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bitmap",
        _superCommandName: ImageCommand.path,
        abstract: "Make, change or remove a record of writes (a persistent bitmap) inside a qcow2 image.",
        discussion: """
            While a bitmap is enabled, writes to the disk are noted in it. Several actions are done in this order: \
            --add, --clear, --merge, --enable or --disable, --remove. gantry image info lists the bitmaps. One that \
            missed writes (a crash, or a program that does not maintain bitmaps) can only be removed.

            --merge notes in BITMAP what another bitmap holds, of FILE or, with -b, of another qcow2 image of the same \
            size. Nobody else may have the images open.

            Example: gantry image bitmap -f qcow2 --add -g 64K disk.qcow2 since-monday
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .long, help: "Make the bitmap: enabled, and empty.")
    var add = false
    @Flag(name: .long, help: "Forget what the bitmap holds.")
    var clear = false
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("Note what this bitmap holds, too. May be repeated.", valueName: "bitmap"))
    var merge: [String] = []
    @Flag(name: .long, help: "Note writes from now on.")
    var enable = false
    @Flag(name: .long, help: "Note no more writes.")
    var disable = false
    @Flag(name: .long, help: "Remove the bitmap.")
    var remove = false
    @Option(
        name: .customShort("g"),
        help: ArgumentHelp(
            "With --add: bytes of the disk for each bit, a power of two from 512 to 2G.", valueName: "granularity"))
    var granularity = PlainSize(bytes: 65536)
    @Option(name: .customShort("b"), help: ArgumentHelp("The image whose bitmaps --merge takes.", valueName: "path"))
    var source: String?
    @Option(name: .customShort("F"), help: ArgumentHelp("Format of that image.", valueName: "format"))
    var sourceFormat: DeclaredFormat?
    @Flag(name: .long, help: "Print the image's bitmaps afterwards as JSON.")
    var json = false
    @Option(name: .long, help: ArgumentHelp("The external data file of FILE.", valueName: "path"))
    var dataFile: String?
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String
    @Argument(help: ArgumentHelp("The bitmap's name.", valueName: "bitmap"))
    var bitmap: String

    func validate() throws {
        if !(add || clear || enable || disable || remove), merge.isEmpty {
            throw ValidationError("give at least one of --add, --clear, --merge, --enable, --disable and --remove")
        }
        if enable && disable { throw ValidationError("give either --enable or --disable") }
        if remove && (add || clear || enable || disable || !merge.isEmpty) {
            throw ValidationError("--remove goes with no other action")
        }
        if (source == nil) != (sourceFormat == nil) {
            throw ValidationError("-b and -F belong together: formats are never guessed")
        }
        if source != nil && merge.isEmpty { throw ValidationError("-b is for --merge") }
    }

    func run() throws {
        let what = "cannot change bitmap \(bitmap) of \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        let other = try sourceFormat?.writable(what)
        let left = try doing(what) { () throws(BlockError) -> [BitmapInfo] in
            try Self.with(file, format, readOnly: false, dataFile) { (keeper) throws(BlockError) in
                try act(on: keeper, other)
                return try keeper.bitmaps()
            }
        }
        // Bitmaps are stored when the image is closed, which must not fail the disk: so look whether this one was.
        if let own = left.first(where: { $0.name == bitmap }), !own.isInconsistent {
            let stored = try doing(what) { () throws(BlockError) -> [BitmapInfo] in
                try Self.with(file, format, readOnly: true, dataFile) { (keeper) throws(BlockError) in
                    try keeper.bitmaps()
                }
            }
            guard let after = stored.first(where: { $0.name == bitmap }), !after.isInconsistent else {
                throw CommandFailure(
                    what, why: "it could not be stored and is of no more use; the disk's data is safe",
                    advice: "room on the file system, then --remove and --add")
            }
        }
        let output = TerminalOutput.standardOutput
        if json { return output.write(try JSONText.pretty(left.map { BitmapLine($0) }) + "\n") }
        let kept = left.first { $0.name == bitmap }.map { BitmapLine($0).text }
        output.write(PlainText.of(kept ?? "removed bitmap \(bitmap)") + "\n")
    }

    private func act(on keeper: any BitmapKeeper, _ other: ImageFormat?) throws(BlockError) {
        if add { try keeper.createBitmap(name: bitmap, granularity: granularity.bytes) }
        if clear { try keeper.clearBitmap(bitmap) }
        for name in merge { try keeper.mergeIntoBitmap(bitmap, try ranges(of: name, keeper, other)) }
        if enable { try keeper.setBitmap(bitmap, isEnabled: true) }
        if disable { try keeper.setBitmap(bitmap, isEnabled: false) }
        if remove { try keeper.deleteBitmap(bitmap) }
    }

    private func ranges(
        of name: String, _ keeper: any BitmapKeeper, _ format: ImageFormat?
    ) throws(BlockError) -> [Range<UInt64>] {
        guard let source, let format else { return try keeper.dirtyRanges(ofBitmap: name) }
        return try Self.with(source, format, readOnly: true, nil) { (other) throws(BlockError) in
            guard other.size == keeper.size else {
                throw BlockError(
                    .unsupported,
                    "the disks differ in size (\(other.size) and \(keeper.size) bytes), so a bitmap of one says nothing of "
                        + "the other", path: source)
            }
            return try other.dirtyRanges(ofBitmap: name)
        }
    }

    /// Bitmaps are of the image itself: what lies below it does not matter.
    private static func with<T>(
        _ path: String, _ format: ImageFormat, readOnly: Bool, _ dataFile: String?,
        _ body: (any BitmapKeeper) throws(BlockError) -> T
    ) throws(BlockError) -> T {
        let policy = OpenPolicy(parents: .ignored, dataFile: dataFile)
        let device = try DiskImage.open(path: path, format: format, readOnly: readOnly, policy: policy)
        let result: T
        do throws(BlockError) {
            guard let keeper = device as? any BitmapKeeper else {
                throw BlockError(.unsupported, "\(format.rawValue) images hold no bitmaps", path: path)
            }
            result = try body(keeper)
        } catch {
            try? device.close()
            throw error
        }
        try device.close()
        return result
    }
}
