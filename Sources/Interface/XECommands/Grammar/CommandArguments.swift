/// A command and its parameters, split into names and values.
///
/// `name=value` · `--name` is `name=true` · `-u -pw -s -h -p` take the next word · other single-dash words are an
/// error · a bare word is a name with an empty value. Of repeated names the first counts.
public struct CommandArguments: Sendable {
    public struct Parameter: Hashable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public let command: String
    /// In the order given, repeats included.
    public let parameters: [Parameter]

    /// Names that never select objects.
    static let reserved: Set<String> = [
        "server", "password", "port", "username", "minimal", "force", "multiple", "all", "message-priority", "trace",
    ]

    private static let switches = [
        "-u": "username", "-pw": "password", "-s": "server", "-h": "server", "-p": "port",
    ]

    public init(_ words: [String]) throws(CommandLineError) {
        guard let command = words.first else { throw .syntax("no command given") }
        guard !command.contains("=") else { throw .syntax("the first word is a command, not a parameter") }
        self.command = command
        var parameters: [Parameter] = []
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            if word.hasPrefix("--") {
                // The `=true` is implied, but people write `--name=value` as well.
                let name = word.dropFirst(2)
                if let equals = name.firstIndex(of: "=") {
                    parameters.append(Parameter(String(name[..<equals]), String(name[name.index(after: equals)...])))
                } else {
                    parameters.append(Parameter(String(name), "true"))
                }
            } else if word.hasPrefix("-"), !word.contains("=") {
                guard let name = Self.switches[word] else { throw .unknownSwitch(word) }
                guard let value = rest.popFirst() else { throw .syntax("\(word) needs a value") }
                parameters.append(Parameter(name, value))
            } else if let equals = word.firstIndex(of: "=") {
                parameters.append(Parameter(String(word[..<equals]), String(word[word.index(after: equals)...])))
            } else {
                parameters.append(Parameter(word, ""))
            }
        }
        self.parameters = parameters
    }

    /// The first value given for `name`.
    public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    func required(_ name: String) throws(CommandLineError) -> String {
        guard let value = self[name] else { throw .missingParameter(name) }
        return value
    }

    /// The entries of `name:key=value` (or, as in old scripts, `name-key=value`), in the order given.
    func map(_ name: String) -> [Parameter] {
        var seen: Set<String> = []
        return parameters.compactMap { parameter in
            guard parameter.name.hasPrefix(name) else { return nil }
            let rest = parameter.name.dropFirst(name.count)
            guard let separator = rest.first, separator == ":" || separator == "-", rest.count > 1 else { return nil }
            let key = String(rest.dropFirst())
            return seen.insert(key).inserted ? Parameter(key, parameter.value) : nil
        }
    }

    /// true,t,yes,y,1 · false,f,no,n,0, in any case; `fallback` when absent.
    func flag(_ name: String, else fallback: Bool = false) throws(CommandLineError) -> Bool {
        guard let text = self[name] else { return fallback }
        guard let flag = Self.boolean(text) else {
            throw .failed("Failed to parse parameter '\(name)': expecting a boolean (true or false), not '\(text)'")
        }
        return flag
    }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "t", "yes", "y", "1": true
        case "false", "f", "no", "n", "0": false
        default: nil
        }
    }

    /// The value of `name` in the spelling of `choices`; the first of them when absent.
    func choice(_ name: String, _ choices: [String]) throws(CommandLineError) -> String {
        let wanted = self[name] ?? choices[0]
        guard let found = choices.first(where: { $0.lowercased() == wanted.lowercased() }) else {
            throw .failed("Failed to parse parameter '\(name)': expecting one of \(choices.joined(separator: ", "))")
        }
        return found
    }

    /// A whole number; `fallback` when absent, without one an error.
    func integer(_ name: String, else fallback: Int64? = nil) throws(CommandLineError) -> Int64 {
        if self[name] == nil, let fallback { return fallback }
        guard let number = Int64(try required(name)) else {
            throw .failed("Failed to parse parameter '\(name)': expecting a whole number, not '\(self[name] ?? "")'")
        }
        return number
    }

    /// The items of a comma-separated value.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map(String.init)
    }
}
