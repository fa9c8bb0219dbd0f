import RPCCodec
import XenAPIClient

/// What may be wished of a move of disks, by parameters that are called as the options of the API's calls.
enum MoveOptions {
    /// Truth values, which people write in more ways than the API takes.
    private static let flags: Set<String> = ["may-delay", "paused", "verify"]

    static let names = [
        "bytes-per-second", "guest-latency-us", "mirror-mode", "may-delay", "retry-seconds", "paused", "verify",
    ]

    /// Those that are given, as the API has them.
    static func entries(
        _ arguments: CommandArguments
    ) throws(CommandLineError) -> [(name: String, value: WireValue)] {
        var entries: [(name: String, value: WireValue)] = []
        for name in names {
            guard var text = arguments[name] else { continue }
            if flags.contains(name) { text = String(try truth(name, arguments)) }
            entries.append((name: name, value: .string(text)))
        }
        return entries
    }

    /// What `xe` takes as a truth value, or the API (`on`, `off`): both vocabularies, understood before anything is sent. False when absent.
    static func truth(_ name: String, _ arguments: CommandArguments) throws(CommandLineError) -> Bool {
        switch arguments[name]?.lowercased() {
        case "on": return true
        case "off": return false
        default: return try arguments.flag(name)
        }
    }

    /// A server of before there was a choice ignores what it is told of formats: the disk would move in another one, and the old image be
    /// gone. `parameter`: by which one is asked for.
    static func requireFormats(_ context: CommandContext, _ parameter: String) async throws {
        let managers = try await context.reader.store.all("SM")
        guard managers.isEmpty || managers.contains(where: { $0.record.member("supported_image_formats") != nil })
        else {
            throw CommandLineError.failed(
                "The server is of an earlier version, which takes no \(parameter): leave it out, and the destination decides"
            )
        }
    }
}
