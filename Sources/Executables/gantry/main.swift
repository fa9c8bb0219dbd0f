// `gantry`: images here. All else, which needs the API's client, is in `gantry-host` beside this program: without it this
// one starts in a third of the time, which is what short commands on images consist of.
import ArgumentParser
import Glibc
import ImageCommands

struct Gantry: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "gantry", subcommands: [ImageCommand.self])
}

let words = Array(CommandLine.arguments.dropFirst())
if words.first == "image" || ProgramRun.oddWord != nil { exit(ProgramRun.run(Gantry.self, confines: true)) }
exit(Sibling.run("gantry-host", words))
