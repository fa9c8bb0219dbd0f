import Testing

@testable import XECommands
@testable import XenAPIClient

@Suite struct GrammarTests {
    @Test func wordsBecomeNamesAndValues() throws {
        let arguments = try CommandArguments([
            "vdi-list", "name-label=a=b", "--minimal", "-u", "me", "-p", "8080", "bare", "name-label=second", "empty=",
        ])
        #expect(arguments.command == "vdi-list")
        #expect(arguments["name-label"] == "a=b")
        #expect(arguments["minimal"] == "true")
        #expect(arguments["username"] == "me" && arguments["port"] == "8080")
        #expect(arguments["bare"] == "" && arguments["empty"] == "")
    }

    @Test func mapsTakeEverythingBehindTheNameAndASeparator() throws {
        let arguments = try CommandArguments([
            "sr-create", "sm-config:image-format=qcow2", "sm-config-old=1", "sm-config:a:b=c=d", "sm-config=x",
            "sm-config:=y",
        ])
        let entries = arguments.map("sm-config").map { "\($0.name)=\($0.value)" }
        #expect(entries == ["image-format=qcow2", "old=1", "a:b=c=d"])
    }

    @Test(arguments: [
        ("T", true), ("yes", true), ("Y", true), ("1", true), ("TRUE", true), ("f", false), ("No", false), ("0", false),
    ])
    func booleansHaveManySpellings(text: String, expected: Bool) throws {
        #expect(try CommandArguments(["x", "flag=\(text)"]).flag("flag") == expected)
    }

    @Test(arguments: ["", "2", "truth", "on"])
    func otherWordsAreNoBooleans(text: String) {
        #expect(throws: CommandLineError.self) { try CommandArguments(["x", "flag=\(text)"]).flag("flag") }
    }

    @Test(arguments: [
        ("1", 1), ("512MB", 512 << 20), ("2gib", 2 << 30), ("1T", 1 << 40), ("3 KiB", 3072), ("9bytes", 9),
    ])
    func sizesHaveBinarySuffixes(text: String, expected: UInt64) throws {
        #expect(try CommandArguments(["x", "size=\(text)"]).size("size") == expected)
    }

    @Test(arguments: ["-1", "1.5GiB", "GiB", "16EiBs", "9999999999999999999T"])
    func otherWordsAreNoSizes(text: String) {
        #expect(throws: CommandLineError.self) { try CommandArguments(["x", "size=\(text)"]).size("size") }
    }

    @Test(arguments: [
        (["a=b"], CommandLineError.syntax("the first word is a command, not a parameter")),
        (["vm-list", "-x"], .unknownSwitch("-x")), (["vm-list", "-u"], .syntax("-u needs a value")),
    ])
    func malformedLinesAreRefused(words: [String], expected: CommandLineError) {
        #expect(throws: expected) { try CommandArguments(words) }
    }
}

@Suite struct ClientOptionsTests {
    @Test func commandLineWinsOverEnvironmentAndThatOverFile() throws {
        let options = try ClientOptions(
            arguments: ["vm-list", "-u", "line", "params=all"],
            environment: ["XE_EXTRA_ARGS": "username=env,password=a\\,b,extra=1"],
            file: "username=file\n\nserver=10.0.0.9\n")
        #expect(options.user == "line" && options.password == "a,b" && options.server == "10.0.0.9")
        #expect(options.words == ["vm-list", "params=all", "extra=1"])
        #expect(options.addresses == [.tcp(host: "10.0.0.9", port: 443, tls: true)])
    }

    @Test func oneBadLineVoidsTheFile() throws {
        let options = try ClientOptions(arguments: ["vm-list"], file: "username=file\nnonsense\n")
        #expect(options.user == "root" && options.password == "null")
    }

    @Test(
        arguments: [
            ([], [.unixSocket(path: "/var/lib/xcp/xapi"), .tcp(host: "127.0.0.1", port: 80, tls: false)]),
            (["-s", "127.0.0.1", "-p", "8080"], [.tcp(host: "127.0.0.1", port: 8080, tls: false)]),
            (["-s", "localhost", "-p", "8443"], [.tcp(host: "localhost", port: 8443, tls: true)]),
            (["-s", "localhost"], [.tcp(host: "localhost", port: 443, tls: true)]),
            (["-s", "other:8443"], [.tcp(host: "other", port: 8443, tls: true)]),
            (["-s", "other", "--nossl"], [.tcp(host: "other", port: 80, tls: false)]),
            (["server=other", "nossl=true", "port=81"], [.tcp(host: "other", port: 81, tls: false)]),
            (["-s", "[fe80::1]:444"], [.tcp(host: "fe80::1", port: 444, tls: true)]),
            (["--socket", "/tmp/x"], [.unixSocket(path: "/tmp/x")]),
        ] as [([String], [ServerAddress])])
    func addressesToTry(words: [String], expected: [ServerAddress]) throws {
        let options = try ClientOptions(arguments: ["vm-list"] + words)
        #expect(options.addresses == expected)
        #expect(options.words == ["vm-list"])
    }

    @Test func relocatedSocketComesFromTheEnvironmentUnlessAServerIsGiven() throws {
        let environment = ["XE_SOCKET": "/run/x"]
        let local = try ClientOptions(arguments: ["vm-list"], environment: environment)
        #expect(local.addresses == [.unixSocket(path: "/run/x")])
        let remote = try ClientOptions(arguments: ["vm-list", "-s", "other"], environment: environment)
        #expect(remote.addresses == [.tcp(host: "other", port: 443, tls: true)])
    }

    @Test func urlsEscapeWhatIsNotPlain() {
        let socket = ServerAddress.unixSocket(path: "/run/a b")
        #expect(socket.url("/x", query: [("id", "a&b=c")]) == "http+unix://%2Frun%2Fa%20b/x?id=a%26b%3Dc")
        #expect(ServerAddress.tcp(host: "::1", port: 80, tls: false).url("/") == "http://[::1]:80/")
    }

    @Test func passwordFileHoldsUserAndPassword() throws {
        var options = try ClientOptions(arguments: ["vm-list", "-pwf", "f"])
        #expect(options.passwordFile == "f")
        try options.readPasswordFile("me\nsecret\n")
        #expect(options.user == "me" && options.password == "secret")
        #expect(throws: CommandLineError.self) { try options.readPasswordFile("me") }
        #expect(throws: CommandLineError.self) { try options.readPasswordFile(nil) }
    }
}
