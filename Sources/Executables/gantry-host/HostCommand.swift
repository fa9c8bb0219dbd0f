import ArgumentParser
import ImageCommands

struct HostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Administer the toolstack on this host.",
        subcommands: [HostStopCommand.self, UserCommand.self])
}

struct HostStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the toolstack, and with --all the guests and their disks' data paths too.",
        discussion: """
            Returns when the processes are gone. Stopping the toolstack alone does not disturb guests: the next one adopts \
            them. What does not run is not an error. --all cuts guests off as a power failure would; shut them down first.
            """)

    @Option(name: .long, help: "The daemon's state folder.")
    var stateDir: String
    @Option(name: .long, help: "The daemon's folder of sockets and records.")
    var runDir: String
    @Flag(name: .long, help: "End guests and data paths, too.")
    var all = false
    @Option(name: .long, help: "Seconds a process gets to end by itself before it is killed.")
    var grace = 30

    func validate() throws {
        if !(0...3600).contains(grace) { throw ValidationError("--grace is 0 to 3600 seconds") }
    }

    func run() throws {
        let host = HostProcesses(stateFolder: stateDir, runFolder: runDir, grace: grace)
        try host.stopDaemon()
        guard all else { return }
        // Guests first: their disks are served by the data paths.
        try host.stopGuests()
        try host.stopDatapaths()
    }
}
