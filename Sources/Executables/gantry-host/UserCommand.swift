import ArgumentParser
import Foundation
import ImageCommands

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "The pool's own users: add, list, change, remove.",
        discussion: """
            Speaks to the toolstack over its local socket. A user has a name, a password that the toolstack keeps hashed, \
            and one of the roles read-only, vm-operator, vm-admin, vm-power-admin, pool-operator, pool-admin. A change ends \
            the user's sessions.
            """,
        subcommands: [
            UserAddCommand.self, UserListCommand.self, UserRoleCommand.self, UserPasswordCommand.self,
            UserRemoveCommand.self,
        ])
}

struct SocketOption: ParsableArguments {
    @Option(name: .long, help: "The toolstack's local socket; XE_SOCKET names another one than the default.")
    var socket: String?

    /// Runs `body` in a session of the superuser, and waits for it.
    func withDirectory<T: Sendable>(
        _ what: String, _ body: @escaping @Sendable (UserDirectory) async throws -> T
    ) throws -> T {
        let path = socket ?? ProcessInfo.processInfo.environment["XE_SOCKET"] ?? "/var/lib/xcp/xapi"
        return try UserDirectory.run(what, socket: path, body)
    }
}

struct PasswordOption: ParsableArguments {
    @Option(
        name: .long, help: "File whose first line is the password; else it is asked for, or read from standard input.")
    var passwordFile: String?

    func password() throws -> String {
        if let passwordFile {
            guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
                throw CommandFailure("cannot read the password", why: "the file \(passwordFile) cannot be read as text")
            }
            return text.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        }
        guard isatty(0) == 1 else { return readLine() ?? "" }
        let first = try ask("Password: ")
        guard try ask("Again: ") == first else {
            throw CommandFailure("cannot set the password", why: "the two inputs differ")
        }
        return first
    }

    private func ask(_ prompt: String) throws -> String {
        // SAFETY: getpass returns its own buffer, ended by a zero, which is copied before the next call.
        guard let text = unsafe getpass(prompt) else {
            throw CommandFailure("cannot read the password", why: "the terminal cannot be read")
        }
        return unsafe String(cString: text)
    }
}

struct UserAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Add a user with a role.")

    @Argument(help: "The name to log in with.") var name: String
    @Option(name: .long, help: "read-only, vm-operator, vm-admin, vm-power-admin, pool-operator or pool-admin.")
    var role: String
    @Option(name: .long, help: "The person's name.") var fullName = ""
    @OptionGroup var secret: PasswordOption
    @OptionGroup var connection: SocketOption

    func run() throws {
        let password = try secret.password()
        try connection.withDirectory("cannot add \(name)") { [name, fullName, role] directory in
            try await directory.add(name, fullName: fullName, role: role, password: password)
        }
    }
}

struct UserListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the users: name, role and full name, by tabs.")

    @OptionGroup var connection: SocketOption

    func run() throws {
        for user in try connection.withDirectory("cannot list the users", { try await $0.list() }) {
            print([user.name, user.roles.joined(separator: ","), user.fullName].joined(separator: "\t"))
        }
    }
}

struct UserRoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "role", abstract: "Give a user another role.")

    @Argument(help: "The user's name.") var name: String
    @Argument(help: "The new role.") var role: String
    @OptionGroup var connection: SocketOption

    func run() throws {
        try connection.withDirectory("cannot change the role of \(name)") { [name, role] directory in
            try await directory.setRole(name, role)
        }
    }
}

struct UserPasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "password", abstract: "Give a user another password.")

    @Argument(help: "The user's name.") var name: String
    @OptionGroup var secret: PasswordOption
    @OptionGroup var connection: SocketOption

    func run() throws {
        let password = try secret.password()
        try connection.withDirectory("cannot change the password of \(name)") { [name] directory in
            try await directory.setPassword(name, password)
        }
    }
}

struct UserRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a user.")

    @Argument(help: "The user's name.") var name: String
    @OptionGroup var connection: SocketOption

    func run() throws {
        try connection.withDirectory("cannot remove \(name)") { [name] directory in try await directory.remove(name) }
    }
}
