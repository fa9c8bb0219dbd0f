import ArgumentParser
import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct CompareCommand: ParsableCommand, KnownExitCodes {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        _superCommandName: ImageCommand.path,
        abstract: "Tell whether two images hold the same bytes.",
        discussion: """
            A longer image equals a shorter one when its rest reads as zeroes, unless -s is given.

            --parent and --data-file are for the one of both images that needs them. Where both do, --parent2 and --data-file2 are \
            FILE2's, and the others FILE1's; two images that name the same parent, and VHDs \
            on one VHD, need --parent only.

            Exit codes: 0 identical, 1 different, 2 the comparison failed.
            Example: gantry image compare -f vhd -F qcow2 old.vhd new.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of the first image.")
    var firstFormat: DeclaredFormat
    @Option(name: .customShort("F"), help: "Format of the second image.")
    var secondFormat: DeclaredFormat
    @Flag(name: .customShort("s"), help: "Images of different size are different.")
    var strict = false
    @Flag(name: .customShort("p"), help: "Show progress on standard error.")
    var progress = false
    @Flag(name: [.customShort("q"), .long], help: "Print nothing but errors.")
    var quiet = false
    @Flag(name: .long, help: "Print the result as JSON.")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Option(
        name: .customLong("parent2"), parsing: .singleValue,
        help: ArgumentHelp("As --parent, for FILE2; --parent is for FILE1 alone then.", valueName: "format:path"))
    var secondParent: [ParentArgument] = []
    @Option(
        name: .customLong("data-file2"),
        help: ArgumentHelp("As --data-file, for FILE2; --data-file is for FILE1 alone then.", valueName: "path"))
    var secondDataFile: String?
    @Argument(help: ArgumentHelp("An image.", valueName: "file1"))
    var first: String
    @Argument(help: ArgumentHelp("Another image.", valueName: "file2"))
    var second: String

    static let different: Int32 = 1
    static let failed: Int32 = 2
    static let wrongUsage: Int32 = 2

    func validate() throws {
        if quiet && json { throw ValidationError("give either -q or --json") }
    }

    func run() throws {
        let report: ComparisonReport
        do throws(CommandFailure) {
            report = try compared()
        } catch {
            throw error.with(status: Self.failed)
        }
        if json {
            TerminalOutput.standardOutput.write(try JSONText.pretty(report) + "\n")
        } else if let offset = report.offset {
            say("The images differ, first at byte \(offset).")
        } else if report.identical {
            say("The images are identical.")
        } else {
            say("The images differ in size: \(report.sizes[0]) and \(report.sizes[1]) bytes.")
        }
        if !report.identical { throw ExitCode(Self.different) }
    }

    private func compared() throws(CommandFailure) -> ComparisonReport {
        let what = "cannot compare \(first) with \(second)"
        try refuseOneForBoth(what)
        return try doing(what) { () throws(BlockError) in
            let left = try chain.open(first, firstFormat)
            defer { try? left.close() }
            let right = try chainOfSecond.open(second, secondFormat)
            defer { try? right.close() }
            let sizes = [left.size, right.size]
            if left.size != right.size {
                if strict { return ComparisonReport(identical: false, sizes: sizes) }
                if !json {
                    say(
                        "The images differ in size (\(left.size) and \(right.size) bytes); the rest is compared with "
                            + "zeroes.")
                }
            }
            let counter = ProgressCounter()
            let offset = try ProgressDisplay.during("comparing", shown: progress, counter: counter) {
                () throws(BlockError) in try CompareEngine.firstDifference(left, right, progress: counter)
            }
            return ComparisonReport(identical: offset == nil, sizes: sizes, offset: offset)
        }
    }

    private var chainOfSecond: ChainOptions {
        var other = chain
        if !secondParent.isEmpty {
            other.parent = secondParent
            other.follow = nil
        }
        if let secondDataFile { other.dataFile = secondDataFile }
        return other
    }

    /// What is one image's file would be read for the other's, too: they would be alike whatever the other's holds.
    private func refuseOneForBoth(_ what: String) throws(CommandFailure) {
        if chain.parent.isEmpty, chain.dataFile == nil { return }
        var (parents, dataFiles) = ([String](), [String]())
        try doing(what) { () throws(BlockError) in
            for (path, format) in [(first, firstFormat), (second, secondFormat)] {
                let report = try InfoReport(path: path, format: format)
                if let name = report.backingFilename { parents.append(NameInImage.path(of: name, in: path)) }
                if let name = report.dataFile { dataFiles.append(name) }
            }
        }
        if !chain.parent.isEmpty, secondParent.isEmpty, !checksIdentity, parents.count == 2, parents[0] != parents[1],
            !RealPath.isSame(parents[0], parents[1])
        {
            throw CommandFailure(
                what,
                why: "they are on two parents, \(parents[0]) and \(parents[1]), and --parent can only be one of them",
                advice: "--parent2 for \(second)", status: Self.wrongUsage)
        }
        if chain.dataFile != nil, secondDataFile == nil, dataFiles.count == 2 {
            throw CommandFailure(
                what, why: "each keeps its data in a file of its own, and --data-file is one of them",
                advice: "--data-file2 for \(second)", status: Self.wrongUsage)
        }
    }

    /// VHDs on a VHD know it wherever it is: another one than theirs is refused when they are opened.
    private var checksIdentity: Bool {
        func isVHD(_ format: DeclaredFormat?) -> Bool { format?.writableFormat == .vhd }
        return isVHD(firstFormat) && isVHD(secondFormat) && isVHD(chain.parent.first?.format) && !chain.ignoreIdentity
    }

    private func say(_ text: String) {
        if !quiet { TerminalOutput.standardOutput.write(text + "\n") }
    }
}
