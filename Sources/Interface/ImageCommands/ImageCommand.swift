public import ArgumentParser

/// `gantry image …`: work on image files without a toolstack.
public struct ImageCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Convert, inspect, create, compare, serve and mirror disk images.",
        discussion: """
            Formats are raw, vhd (or vpc) and qcow2, and are always declared: a guest can write any header into a raw \
            disk, so no command guesses (info --probe is for new files from outside).

            Exit codes: 0 done, 1 failed (compare: the images differ), 2 wrong usage (compare: any failure).
            """,
        subcommands: [
            InfoCommand.self, CreateCommand.self, ConvertCommand.self, CheckCommand.self, CompareCommand.self,
            MapCommand.self, MeasureCommand.self, ResizeCommand.self, SnapshotCommand.self, ServeCommand.self, MirrorCommand.self,
            BenchCommand.self,
        ])

    public init() {}
}
