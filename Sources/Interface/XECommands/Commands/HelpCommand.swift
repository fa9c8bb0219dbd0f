import XenAPIClient

extension Command {
    /// Commands that ask no server.
    static let sessionless: [Command] = [
        Command("help", [], "Explains xe, or one command.") { context in help(context.arguments, context.printer) }
    ]

    static func help(_ arguments: CommandArguments, _ printer: Printer) {
        let names = arguments.parameters.filter { !CommandArguments.reserved.contains($0.name) }.map(\.name)
        if names.isEmpty {
            overview(everything: arguments["all"] == "true", printer)
        }
        for name in names { explain(name, printer) }
    }

    private static func explain(_ name: String, _ printer: Printer) {
        guard let command = Command.named(name) else {
            printer.message("Unknown command '\(name)'")
            return
        }
        printer.record([
            ("command name        ", command.name),
            ("reqd params     ", command.required.joined(separator: ", ")),
            (
                "optional params ",
                command.optional.joined(separator: ", ") + (command.takesFilters ? ", <selectors>" : "")
            ),
            ("description     ", command.summary),
        ])
    }

    private var takesFilters: Bool { !flags.isDisjoint(with: [.selectsVMs, .selectsHosts, .selectsSRs]) }

    private static func overview(everything: Bool, _ printer: Printer) {
        let shown = all.filter { !$0.flags.contains(.hidden) && (everything || $0.flags.contains(.standard)) }
        if printer.isMinimal {
            for command in shown { printer.value(command.name) }
            return
        }
        printer.message(usage)
        printer.message("")
        if everything {
            let host = shown.filter { $0.name.hasPrefix("host-") }.map(\.name)
            let machine = shown.filter { $0.name.hasPrefix("vm-") }.map(\.name)
            let rest = shown.map(\.name).filter { !$0.hasPrefix("host-") && !$0.hasPrefix("vm-") }
            for group in [host, machine, rest] { printer.message(columns(group) + "\n") }
        } else {
            printer.message("Common commands (all of them: xe help --all):\n")
            printer.message(columns(shown.map(\.name)) + "\n")
        }
    }

    /// Comma-separated, indented by four, in lines of up to 74 characters.
    private static func columns(_ names: [String]) -> String {
        var lines: [String] = []
        var line = "    "
        for (index, name) in names.enumerated() {
            let word = name + (index == names.count - 1 ? "" : ",")
            if line.count + 1 + word.count > 74, line.count > 4 {
                lines.append(line)
                line = "    "
            }
            line += (line.count > 4 ? " " : "") + word
        }
        return (lines + [line]).joined(separator: "\n")
    }

    static let usage = """
        Usage: xe <command> [-s server] [-p port] [-u username] [-pw password] [-pwf file] [--nossl]
                  [--socket path] [key=value ...] [map:key=value ...] [--minimal]

        A command's parameters are explained by: xe help <command>
        """
}
