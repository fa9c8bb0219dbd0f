// The whole of `gantry`, images and the administration of this host: `gantry` runs it for all but images.
import ArgumentParser
import Glibc
import ImageCommands

struct Gantry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry",
        abstract: "Work on disk images, administer a Gantry host, check storage drivers.",
        discussion: "Exit codes: 0 done, 1 failed, 2 wrong usage; compare: 1 different, 2 failed; "
            + "image check: 1 failed, 2 damaged, 3 space leaked, 63 nothing to check.",
        subcommands: [ImageCommand.self, HostCommand.self, PluginCommand.self])
}

exit(ProgramRun.run(Gantry.self))
