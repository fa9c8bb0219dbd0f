public import ArgumentParser
public import BlockCopy
import BlockIO
import CoreTypes
public import DiskImages
import TerminalUI

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        _superCommandName: ImageCommand.path,
        abstract: "Copy an image into a new one of another (or the same) format.",
        discussion: """
            The new image appears under its name only when it is complete and on disk; a regular file of that name is \
            replaced at that moment. Interrupted, it leaves what was there.

            With -o backing_file=NAME,backing_fmt=FORMAT the new image holds only where SRC differs from that one. When it has \
            a parent itself, --follow says where its ancestors are. The parent of a qcow2 image may be of any format, that of a VHD is \
            a VHD or raw.

            DST may be a symbolic link to a file, which is replaced then; one that leads to nothing is refused.

            What can go through a pipe: from one, raw, VHD (fixed, dynamic, differencing), qcow2, VHDX and VMDKs of one file; a child \
            image needs its parents as files, named by --parent. VHDX and VMDK, but for streamOptimized ones, must be read out of \
            order: all of the stream waits in an unnamed file beside DST. Not qcow2 images with a data file, nor VMDKs of several \
            files. Into one: raw, VHD (dynamic, fixed, differencing) and qcow2, uncompressed. docs/image-pipes.md has all of it as a \
            table.

            SRC or DST may be -, standard input or output: images are read and written as streams then, without a \
            temporary file where their order allows it. With --decompress SRC is a gzip, xz or zstd file (or stream) that \
            holds the image. A raw stream does not tell its size: it is found at the end, or checked against --size. A stream is \
            read once and in order: with -l, -c, --zeroes and --verify its image, or the disk in it, waits as a whole in an \
            unnamed file beside DST first. From a stream into standard output it waits in /var/tmp, and --limit must say how much may. \
            -c, --zeroes and --verify need DST to be a file. \
            preallocation and data_file_raw need --size with a stream that does not tell its size.

            A qcow2 image or VHD can be made on a block device: --overwrite says that what is on it may go. Until the \
            command has succeeded the device holds an unfinished image; a failure leaves none.

            --salvage is for a SRC that is damaged: a qcow2 image or VHD whose tables contradict themselves or that was cut short, or \
            a failing disk. What cannot be read is zeroes in DST, to the sector (of a failing disk to what the kernel reads at once, \
            mostly 4 KiB), and each such range is told; --json tells all of them. The exit code is 3 then: DST is there, and is not all \
            of SRC. Without --salvage the first error ends the command, and DST is not there. A VMDK or VHDX whose tables are \
            damaged is refused where it is refused without.

            Examples: gantry image convert -p -f vhd -O qcow2 --verify old.vhd new.qcow2
            curl https://… | gantry image convert -f raw --decompress xz -O qcow2 - new.qcow2
            """)

    @Flag(name: .customShort("p"), help: "Show progress on standard error.")
    var progress = false
    @Flag(name: .customShort("c"), help: "Compress the data of the new image (qcow2).")
    var compress = false
    @Option(name: .customShort("f"), help: "Format of SRC.")
    var sourceFormat: DeclaredFormat
    @Option(name: .customShort("O"), help: "Format of DST.")
    var targetFormat: DeclaredFormat
    @Option(name: .customShort("o"), help: ArgumentHelp(stringLiteral: CreateOptions.help))
    var options: [String] = []
    @Flag(name: .customShort("n"), help: "Write into DST, which exists, instead of making a new image.")
    var intoExisting = false
    @Flag(name: .long, help: "DST is a block device (qcow2, vhd): what it holds is lost.")
    var overwrite = false
    @Option(
        name: .customShort("l"),
        help: ArgumentHelp(
            "Convert a snapshot inside the source: snapshot.name=NAME, snapshot.id=ID, or an id or name.",
            valueName: "snapshot"))
    var snapshot: String?
    @Option(name: .long, help: "SRC is compressed as a whole: gzip, xz or zstd.")
    var decompress: StreamCompression?
    @Option(
        name: .long, help: ArgumentHelp("With a stream as SRC: the size that the disk must have.", valueName: "size"))
    var size: PlainSize?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Refuse a source whose disk is larger; what a stranger's file may cost.", valueName: "size"))
    var limit: PlainSize?
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            What to do with zeroes that SRC stores as data: sample leaves out those that fill, begin or end a piece of \
            64 KiB, found by a look at a few bytes of each, and of 256 KiB in long runs without any; search leaves out \
            every page of zeroes, more slowly; keep stores them. (default: sample)
            """, valueName: "how"))
    var zeroes: CopyEngine.StoredZeroes?
    @Flag(name: .long, help: "Compare both images afterwards; a difference is a failure.")
    var verify = false
    @Flag(name: .long, help: "Go on where SRC cannot be read: zeroes are there instead, and exit code 3 says so.")
    var salvage = false
    @Flag(name: .long, help: "Print the result as JSON; DST is a file then.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image to read.", valueName: "src"))
    var source: String
    @Argument(help: ArgumentHelp("The image to write.", valueName: "dst"))
    var target: String

    private var isFromStream: Bool { source == "-" || decompress != nil }
    /// The stream is read more than once, or not in its order.
    private var mustWait: Bool { verify || compress || zeroes != nil || snapshot != nil || target == "-" }
    /// Options that cannot be read are refused later.
    private var hasNewParent: Bool {
        targetFormat.writableFormat.flatMap { try? CreateOptions.reading(options, for: $0) }?.parent != nil
    }

    func validate() throws {
        try refuseBesideSalvage()
        if json, target == "-" { throw ValidationError("--json and the image cannot both go to standard output") }
        if intoExisting, !options.isEmpty { throw ValidationError("-o describes a new image, and -n makes none") }
        if overwrite, intoExisting || target == "-" {
            throw ValidationError("--overwrite is for a new image on a block device")
        }
        if target == "-" {
            if verify {
                throw ValidationError(
                    "--verify reads DST again, and what went into a pipe cannot be read back: compare where it arrives, "
                        + "with gantry image compare")
            }
            if compress {
                throw ValidationError(
                    "-c needs DST to be a file: the tables of an image in a pipe come first, before the sizes are known"
                )
            }
            if zeroes != nil {
                throw ValidationError(
                    "--zeroes needs DST to be a file: all zeroes of an image in a pipe are searched for")
            }
            if intoExisting { throw ValidationError("-n needs DST to be a file") }
            if isFromStream && limit == nil {
                throw ValidationError(
                    "from a stream into a pipe the disk waits in /var/tmp as a whole: --limit must say how large it may be"
                )
            }
        }
        if isFromStream, let unfit = chain.unfitForStream(isOnParent: hasNewParent) { throw ValidationError(unfit) }
        if compress && zeroes == .keep {
            throw ValidationError("-c leaves zeroes out, and --zeroes keep stores them")
        }
        if size != nil, !isFromStream {
            throw ValidationError(
                "--size is for streams, as SRC; gantry image resize changes the size of an image")
        }
    }

    func run() throws {
        let what = "cannot convert \(source) to \(target)"
        if source == "-" { try RealPath.refuseStandardInput(as: target, what) }
        let format = try targetFormat.writable(what)
        if compress, format != .qcow2 {
            throw CommandFailure(
                what, why: "\(format.rawValue) images cannot be compressed", advice: "-O qcow2, or leaving -c out",
                status: CommandFailure.Status.usage)
        }
        let choices = try CreateOptions.reading(options, for: format)
        try refuseUnderParent(choices, what)
        try refuseSalvageUnderParent(choices, what)
        let cancellation = CancellationFlag()
        TerminationSignals.cancel(cancellation)
        if target == "-" { try StreamEmission.checkOutput(what) }
        // The image is made where a link at DST leads.
        let policy =
            intoExisting
            ? chain.policyOfExisting
            : chain.policyOfNewImage(
                on: choices.parent?.reference(from: target == "-" ? "" : RealPath.of(target) ?? target).path,
                besides: sourceFormat)
        let input: any BlockDevice
        if isFromStream {
            let stream = try self.stream(what, cancellation)
            defer { try? stream.parent?.device.close() }
            if !mustWait {
                let reading = StreamConversion(
                    what: what, input: stream, sourceFiles: chain.files, target: target, format: format,
                    options: choices, policy: policy, overwrites: overwrite, cancellation: cancellation)
                try intoExisting ? reading.fill() : reading.make()
                return try report(format)
            }
            input = try doing(what) { () throws(BlockError) in
                try stream.unpacked(
                    largest: StreamConversion.largestDisk(format, choices), snapshot: snapshotMeant,
                    policy: chain.policyOfStream())
            }
        } else {
            input = try opened(what)
        }
        defer { try? input.close() }
        let salvaged = try salvaging(input, what, cancellation)
        if target == "-" {
            return try StreamEmission(
                what: what, input: input, format: format, options: choices, policy: policy, progress: progress,
                cancellation: cancellation
            ).run()
        }
        let conversion = Conversion(
            what: what, source: source, sourceFiles: chain.files, input: salvaged ?? input, target: target,
            format: format, options: choices, compress: compress, zeroes: zeroes ?? .sample, verify: verify,
            progress: progress, overwrites: overwrite, cancellation: cancellation, policy: policy)
        try intoExisting ? conversion.fill() : conversion.make()
        try report(format, salvaged)
        if let salvaged { try tellLost(salvaged) }
    }

    /// SRC where it is a stream. What it builds on is open, and the caller's to close.
    private func stream(_ what: String, _ cancellation: CancellationFlag) throws(CommandFailure) -> StreamInput {
        // Images of formats that are only read open their parents themselves, and so does one that is kept as it comes.
        let isOpened = sourceFormat.writableFormat != nil && snapshot == nil
        return try doing(what) { () throws(BlockError) in
            StreamInput(
                source: source, format: sourceFormat, compression: decompress,
                parent: isOpened ? try chain.openParentOfStream() : nil,
                imports: try chain.importsOfStream(sourceFormat), size: size?.bytes, limit: limit?.bytes,
                spillFolder: RealPath.spillFolder(for: target), progress: progress, cancellation: cancellation)
        }
    }

    /// SRC where it is a file.
    private func opened(_ what: String) throws(CommandFailure) -> any BlockDevice {
        try doing(what) { () throws(BlockError) in
            let input = try chain.open(source, sourceFormat, snapshot: snapshotMeant, salvages: salvage)
            if let limit, input.size > limit.bytes {
                try? input.close()
                throw BlockError(
                    .limitExceeded, "the disk has \(input.size) bytes, and \(limit.bytes) are allowed", path: source)
            }
            return input
        }
    }

    /// What does not go together with a parent of the new image.
    private func refuseUnderParent(_ choices: CreateOptions, _ what: String) throws(CommandFailure) {
        guard choices.parent != nil else { return }
        let problem: (why: String, advice: String)
        if let format = targetFormat.writableFormat { try chain.refuseGeometry(of: format, what) }
        if compress {
            problem = ("what differs from a parent is not compressed", "leaving -c or backing_file out")
        } else if zeroes != nil {
            problem = ("zeroes are kept where the parent has something else", "leaving --zeroes or backing_file out")
        } else {
            return
        }
        throw CommandFailure(what, why: problem.why, advice: problem.advice, status: CommandFailure.Status.usage)
    }

    private func report(_ format: ImageFormat, _ salvaged: SalvagedDevice? = nil) throws {
        if !json { return }
        let info = try doing("cannot describe \(target)") { () throws(BlockError) in
            try DiskImage.info(path: target, format: format, vhdSize: intoExisting ? chain.vhdSize : .creator)
        }
        var report = ResultReport(
            filename: target, format: format.rawValue, virtualSize: info.virtualSize, isVerified: verify)
        if let salvaged { report.tell(salvaged.lost) }
        TerminalOutput.standardOutput.write(try JSONText.pretty(report) + "\n")
    }

    private var snapshotMeant: SnapshotSelector? {
        guard let snapshot else { return nil }
        for (prefix, kind) in [("snapshot.name=", SnapshotSelector.name), ("snapshot.id=", SnapshotSelector.id)]
        where snapshot.hasPrefix(prefix) {
            return kind(String(snapshot.dropFirst(prefix.count)))
        }
        return .either(snapshot)
    }
}

extension StreamCompression: ExpressibleByArgument {}
extension CopyEngine.StoredZeroes: ExpressibleByArgument {}
