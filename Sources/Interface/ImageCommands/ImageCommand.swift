public import ArgumentParser

/// `gantry image …`: work on image files without a toolstack.
public struct ImageCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Convert, inspect, check, repair, chain, serve and move disk images.",
        discussion: """
            Formats are raw, vhd (or vpc) and qcow2; vhdx and vmdk can be read. They are always declared: a guest can \
            write any header into a raw disk, so no command guesses (info --probe is for new files from outside). No \
            image leads to another file but by --parent, --follow, --extent or --data-file.

            Exit codes: 0 done; 1 failed (compare: the images differ; check: wrong usage, too); 2 wrong usage (compare: any \
            failure; check: damaged); check: 3 space leaked, 63 nothing to check.
            """,
        subcommands: [
            InfoCommand.self, CreateCommand.self, ConvertCommand.self, CheckCommand.self, CompareCommand.self,
            MapCommand.self, MeasureCommand.self, ResizeCommand.self, SnapshotCommand.self, BitmapCommand.self,
            RebaseCommand.self,
            CommitCommand.self, CoalesceCommand.self, ServeCommand.self, MirrorCommand.self, BenchCommand.self,
        ])

    /// What stands before the names of these commands. One that says so is not asked for a script of completions when it is
    /// parsed alone (`ProgramRun`): those questions are a fifth of the time of a short command.
    static let path = "gantry image"

    public init() {}
}
