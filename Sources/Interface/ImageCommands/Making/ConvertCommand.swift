import ArgumentParser
import BlockCopy
import BlockIO
import CoreTypes
import DiskImages

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Copy an image into a new one of another (or the same) format.",
        discussion: """
            The new image appears under its name only when it is complete and on disk; a regular file of that name is \
            replaced at that moment. Interrupted, it leaves what was there.

            Example: gantry image convert -p -f vhd -O qcow2 --verify old.vhd new.qcow2
            """)

    @Flag(name: .customShort("p"), help: "Show progress on standard error.")
    var progress = false
    @Flag(name: .customShort("c"), help: "Compress (not built yet).")
    var compress = false
    @Option(name: .customShort("f"), help: "Format of SRC.")
    var sourceFormat: DeclaredFormat
    @Option(name: .customShort("O"), help: "Format of DST.")
    var targetFormat: DeclaredFormat
    @Option(name: .customShort("o"), help: ArgumentHelp(stringLiteral: CreateOptions.help))
    var options: [String] = []
    @Flag(name: .customShort("n"), help: "Write into DST, which exists, instead of making a new image.")
    var intoExisting = false
    @Option(
        name: .customShort("l"),
        help: ArgumentHelp(
            "Convert a snapshot inside the source: snapshot.name=NAME, snapshot.id=ID, or an id or name.",
            valueName: "snapshot"))
    var snapshot: String?
    @Flag(name: .long, help: "Compare both images afterwards; a difference is a failure.")
    var verify = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image to read.", valueName: "src"))
    var source: String
    @Argument(help: ArgumentHelp("The image to write.", valueName: "dst"))
    var target: String

    func run() throws {
        if compress { throw CommandFailure.notBuilt("compression (-c)", advice: "converting without -c") }
        try refuseStream(source, "SRC")
        try refuseStream(target, "DST")
        let format = try targetFormat.writable("cannot convert to \(target)")
        let choices = try CreateOptions.reading(options, for: format)
        if intoExisting, !options.isEmpty {
            throw ValidationError("-o describes a new image, and -n makes none")
        }
        let cancellation = CancellationFlag()
        TerminationSignals.each { cancellation.cancel() }
        let what = "cannot convert \(source) to \(target)"
        let input = try doing(what) { () throws(BlockError) in
            try chain.open(source, sourceFormat, snapshot: snapshotName)
        }
        defer { try? input.close() }
        if intoExisting {
            try doing(what) { () throws(BlockError) in
                try fill(
                    DiskImage.open(path: target, format: format, readOnly: false), from: input, isNew: false,
                    cancellation)
            }
            return try check(input, target, format, cancellation)
        }
        let pending = try PendingFile(for: target, besides: source)
        try doing(what) { () throws(BlockError) in
            let output = try DiskImage.create(path: pending.path, format: format, size: input.size, options: choices)
            try fill(output, from: input, isNew: true, cancellation)
        }
        try check(input, pending.path, format, cancellation)
        try doing(what) { () throws(BlockError) in
            if cancellation.isCancelled { throw BlockError(.cancelled, "interrupted") }
            try pending.publish()
        }
    }

    private var snapshotName: String? {
        guard let snapshot else { return nil }
        for prefix in ["snapshot.name=", "snapshot.id="] where snapshot.hasPrefix(prefix) {
            return String(snapshot.dropFirst(prefix.count))
        }
        return snapshot
    }

    /// Copies and closes `output`, also when the copy fails.
    private func fill(
        _ output: any BlockDevice, from input: any BlockDevice, isNew: Bool, _ cancellation: CancellationFlag
    ) throws(BlockError) {
        let counter = ProgressCounter()
        do throws(BlockError) {
            try ProgressDisplay.during("converting", shown: progress, counter: counter) { () throws(BlockError) in
                var options = CopyEngine.Options()
                options.destinationIsZero = isNew
                options.bypassCache = isNew
                try CopyEngine.copy(
                    from: input, to: output, options: options, progress: counter, cancellation: cancellation)
            }
        } catch {
            try? output.close()
            throw error
        }
        try output.close()
    }

    /// With `--verify`, opens what was written anew and compares all of it.
    private func check(
        _ input: any BlockDevice, _ path: String, _ format: ImageFormat, _ cancellation: CancellationFlag
    ) throws(CommandFailure) {
        guard verify else { return }
        let what = "cannot verify \(target)"
        let difference = try doing(what) { () throws(BlockError) -> UInt64? in
            let output = try DiskImage.open(path: path, format: format, readOnly: true)
            defer { try? output.close() }
            let counter = ProgressCounter()
            return try ProgressDisplay.during("verifying", shown: progress, counter: counter) { () throws(BlockError) in
                try CompareEngine.firstDifference(input, output, progress: counter, cancellation: cancellation)
            }
        }
        if let difference {
            throw CommandFailure(
                "\(target) is not a copy of \(source)", why: "they differ at byte \(difference)",
                advice: "again; when it repeats, the storage or the memory of this host is at fault")
        }
    }
}
