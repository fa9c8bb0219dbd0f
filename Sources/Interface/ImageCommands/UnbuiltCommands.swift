import ArgumentParser

// Commands whose words are reserved and whose work is not built: each takes its arguments and says so.

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Look for damage in an image (not built yet).")

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Option(name: .customShort("r"), help: "Repair: leaks or all.")
    var repair: String?
    @Flag(name: .long, help: "Print JSON.")
    var json = false
    @Argument var file: String

    func run() throws { throw CommandFailure.notBuilt("gantry image check", advice: "qemu-img check for qcow2 images") }
}

struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure", abstract: "Tell how much space a converted image needs (not built yet).")

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Option(name: .customShort("O"), help: "Format of the new image.")
    var targetFormat: DeclaredFormat?
    @Flag(name: .long, help: "Print JSON.")
    var json = false
    @Argument var file: String

    func run() throws {
        throw CommandFailure.notBuilt(
            "gantry image measure", advice: "gantry image map, whose data extents are what is copied")
    }
}

struct ResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize", abstract: "Change the virtual size of an image (not built yet).")

    @Option(name: .customShort("f"), help: "Format of FILE.")
    var format: DeclaredFormat
    @Argument var file: String
    @Argument var size: String

    func run() throws {
        throw CommandFailure.notBuilt(
            "gantry image resize", advice: "gantry image create with the new size, then gantry image convert -n into it"
        )
    }
}
