public import XenAPIClient

/// What the `xe` program itself takes from its command line, `XE_EXTRA_ARGS` and `~/.xe`, and the words left for the
/// command. The command line wins over the environment, the environment over the file.
public struct ClientOptions: Sendable {
    /// Nil: 127.0.0.1.
    public private(set) var server: String?
    public private(set) var port: Int?
    public private(set) var user = "root"
    public private(set) var password = "null"
    public private(set) var passwordFile: String?
    public private(set) var usesTLS = true
    public private(set) var socket: String?
    /// The command and its parameters, in order.
    public private(set) var words: [String] = []
    public private(set) var wantsUsage = false
    public private(set) var wantsVersion = false

    /// Where a toolstack listens when its administrator did not say otherwise.
    public static let standardSocket = "/var/lib/xcp/xapi"

    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: `XE_EXTRA_ARGS` (comma-separated, `\,` for a comma) and `XE_SOCKET` are read.
    ///   - file: the content of `~/.xe`, nil when there is none: lines `key=value`; one bad line voids all of it.
    public init(
        arguments: [String], environment: [String: String] = [:], file: String? = nil
    ) throws(CommandLineError) {
        var appended: [String] = []
        for entry in Self.fileEntries(file ?? "") where !(try take(entry)) { appended.append(entry) }
        for entry in Self.commaSeparated(environment["XE_EXTRA_ARGS"] ?? "") where !(try take(entry)) {
            appended.append(entry)
        }
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "-help", "--help": wantsUsage = true
            case "-version": wantsVersion = true
            case "--nossl": usesTLS = false
            case "--debug", "--debug-on-fail": break
            case "-s", "-h", "-p", "-u", "-pw", "-pwf", "--socket", "--traceparent":
                guard let value = rest.popFirst() else { throw .syntax("\(word) needs a value") }
                _ = try take("\(Self.switches[word] ?? "")=\(value)")
                if word == "--socket" { socket = value }
            default:
                if try !take(word) { words.append(word) }
            }
        }
        if !words.isEmpty { words += appended }
        if socket == nil, server == nil, port == nil, let path = environment["XE_SOCKET"], !path.isEmpty {
            socket = path
        }
        if arguments.isEmpty { wantsUsage = true }
    }

    private static let switches = [
        "-s": "server", "-h": "server", "-p": "port", "-u": "username", "-pw": "password", "-pwf": "passwordfile",
        "--traceparent": "traceparent",
    ]

    /// Takes `key=value` if the key is one of the client's own; false otherwise.
    private mutating func take(_ word: String) throws(CommandLineError) -> Bool {
        guard let equals = word.firstIndex(of: "=") else { return false }
        let value = String(word[word.index(after: equals)...])
        switch word[..<equals] {
        case "server": try setServer(value)
        case "port": port = try Self.port(value)
        case "username": user = value
        case "password": password = value
        case "passwordfile": passwordFile = value
        case "nossl": usesTLS = !(CommandArguments.boolean(value) ?? false)
        case "debug", "debugonfail", "traceparent": break
        default: return false
        }
        return true
    }

    /// A port may follow the host, as in every address of a peer; IPv6 addresses with one need brackets.
    private mutating func setServer(_ text: String) throws(CommandLineError) {
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            server = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            if rest.hasPrefix(":") { port = try Self.port(String(rest.dropFirst())) }
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        server = parts.count == 2 ? String(parts[0]) : text
        if parts.count == 2 { port = try Self.port(String(parts[1])) }
    }

    private static func port(_ text: String) throws(CommandLineError) -> Int {
        guard let port = Int(text), (1...65535).contains(port) else { throw .syntax("'\(text)' is no port number") }
        return port
    }

    private static func fileEntries(_ text: String) -> [String] {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
            .filter { !$0.allSatisfy(\.isWhitespace) }
        return lines.allSatisfy { $0.contains("=") } ? lines : []
    }

    private static func commaSeparated(_ text: String) -> [String] {
        var entries = [""]
        var isEscaped = false
        for letter in text {
            if isEscaped {
                entries[entries.count - 1] += letter == "," ? "," : "\\\(letter)"
                isEscaped = false
            } else if letter == "\\" {
                isEscaped = true
            } else if letter == "," {
                entries.append("")
            } else {
                entries[entries.count - 1].append(letter)
            }
        }
        if isEscaped { entries[entries.count - 1] += "\\" }
        return entries.filter { !$0.isEmpty }
    }
}

extension ClientOptions {
    /// The addresses to try, best first. A socket that was named is the only one; 127.0.0.1 without a port means the
    /// standard socket, then plain TCP; 127.0.0.1 with a port plain TCP; other servers TLS unless `--nossl`.
    public var addresses: [ServerAddress] {
        if let socket { return [.unixSocket(path: socket)] }
        let host = server ?? "127.0.0.1"
        if host == "127.0.0.1" {
            let plain = ServerAddress.tcp(host: "127.0.0.1", port: port ?? 80, tls: false)
            return port == nil ? [.unixSocket(path: Self.standardSocket), plain] : [plain]
        }
        return [.tcp(host: host, port: port ?? (usesTLS ? 443 : 80), tls: usesTLS)]
    }

    /// Puts in what the password file says: the user in its first line, the password in its second.
    public mutating func readPasswordFile(_ content: String?) throws(CommandLineError) {
        let lines = (content ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        guard let user = lines.first, lines.count >= 2, !user.isEmpty else {
            throw .failed("the password file must hold a user name and, in its second line, a password")
        }
        self.user = String(user)
        password = String(lines[1])
    }
}
