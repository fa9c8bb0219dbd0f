import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        _superCommandName: ImageCommand.path,
        abstract: "List, make, go back to or delete the snapshots inside a qcow2 image.",
        discussion: """
            A snapshot is named by its id, or by its name when only one has it. -a loses the present state of the disk. \
            To read a snapshot: gantry image convert -l SNAPSHOT.

            Example: gantry image snapshot -f qcow2 -c before-upgrade disk.qcow2
            """)

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Flag(name: .customShort("l"), help: "List the snapshots.")
    var list = false
    @Option(name: .customShort("c"), help: ArgumentHelp("Make a snapshot.", valueName: "name"))
    var create: String?
    @Option(name: .customShort("a"), help: ArgumentHelp("Go back to a snapshot.", valueName: "snapshot"))
    var apply: String?
    @Option(name: .customShort("d"), help: ArgumentHelp("Delete a snapshot.", valueName: "snapshot"))
    var delete: String?
    @Flag(name: .long, help: "Print JSON (with -l and -c).")
    var json = false
    @OptionGroup var chain: ChainOptions
    @Argument(help: ArgumentHelp("The image.", valueName: "file"))
    var file: String

    func validate() throws {
        let actions = (list ? 1 : 0) + [create, apply, delete].count { $0 != nil }
        if actions != 1 { throw ValidationError("give one of -l, -c NAME, -a SNAPSHOT and -d SNAPSHOT") }
        if json, apply != nil || delete != nil { throw ValidationError("--json is for -l and -c") }
    }

    func run() throws {
        let what = "cannot \(list ? "list the snapshots" : "change a snapshot") of \(file)"
        try refuseStream(file, "FILE")
        let format = try format.writable(what)
        try doing(what) { () throws(BlockError) in
            // Snapshots are of the image itself: what lies below it does not matter, and need not be there.
            var policy = try chain.policy()
            policy.parents = .ignored
            let device = try DiskImage.open(path: file, format: format, readOnly: list, policy: policy)
            do throws(BlockError) {
                guard let keeper = device as? any SnapshotKeeper else {
                    throw BlockError(.unsupported, "\(format.rawValue) images hold no snapshots", path: file)
                }
                try act(on: keeper)
            } catch {
                try? device.close()
                throw error
            }
            try device.close()
        }
    }

    private func act(on keeper: any SnapshotKeeper) throws(BlockError) {
        let output = TerminalOutput.standardOutput
        if let create {
            let made = try keeper.createSnapshot(name: create)
            output.write(
                json ? SnapshotText.json([made]) + "\n" : "made snapshot \(made.id) “\(PlainText.of(made.name))”\n")
        } else if let apply {
            try keeper.applySnapshot(apply)
            output.write("\(file) is as it was at snapshot \(apply)\n")
        } else if let delete {
            try keeper.deleteSnapshot(delete)
            output.write("deleted snapshot \(delete)\n")
        } else {
            let all = try keeper.snapshots()
            output.write(json ? SnapshotText.json(all) + "\n" : SnapshotText.table(all))
        }
    }
}
