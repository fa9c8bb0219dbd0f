import Foundation
import RPCCodec
import TestSupport
import XenAPIClient

/// Two pools of one host each, side by side, and a machine that goes from one to the other.
struct TwoPools {
    let here, there: RunningToolstack

    /// Both keep their ports when they are started again: each remembers where the other is.
    static func run(
        hereOptions: [String] = [], thereOptions: [String] = [], driverFolders: [String] = [],
        _ body: (TwoPools) async throws -> Void
    ) async throws {
        let pools = TwoPools(here: try RunningToolstack(), there: try RunningToolstack())
        do {
            for (toolstack, options) in [(pools.here, hereOptions), (pools.there, thereOptions)] {
                toolstack.httpsAddress = "0.0.0.0:0"
                toolstack.options = options
                toolstack.driverFolders = driverFolders
                try await toolstack.start()
                toolstack.httpsAddress = "0.0.0.0:\(pools.port(toolstack))"
            }
            try await body(pools)
        } catch {
            print("here:\n\(pools.here.logText)\nthere:\n\(pools.there.logText)")
            await pools.cleanUp()
            throw error
        }
        await pools.cleanUp()
    }

    private func cleanUp() async {
        await here.cleanUp()
        await there.cleanUp()
    }

    func port(_ toolstack: RunningToolstack) -> String {
        toolstack.httpsURL.split(separator: ":").last.map(String.init) ?? ""
    }

    /// What `host.migrate_receive` of the other pool answers. `link`: by which way it is to be reached.
    func token(through link: CuttableLink? = nil) async throws -> WireValue {
        let answer = try await answer()
        guard let link else { return answer }
        // Of addresses only: references have colons, too.
        return .members(
            (answer.members ?? []).map { member in
                guard let text = member.value.text, text.hasPrefix("http") else { return (member.name, member.value) }
                let moved = text.replacingOccurrences(of: ":\(port(there))", with: ":\(link.port)")
                return (member.name, .string(moved))
            })
    }

    private func answer() async throws -> WireValue {
        let host = try await there.call("host.get_all").items?.first?.text ?? ""
        return try await there.call("host.migrate_receive", .string(host), .string(try await network()), .members([]))
    }

    /// The network of the other pool that its host has an address in.
    func network() async throws -> String {
        let interfaces = try await there.call("PIF.get_all_records").members ?? []
        guard let found = interfaces.map(\.value).first(where: { $0.member("IP")?.text?.isEmpty == false }) else {
            throw RunningToolstack.Failure(description: "this machine has no interface with an address")
        }
        return found.member("network")?.text ?? ""
    }

    /// Moves the machine by the API and waits. Returns its reference there; throws the task's error.
    func send(
        _ vm: String, disks: [(String, String)], formats: [(String, String)] = [], options: [(String, String)] = []
    ) async throws -> String {
        let task = try await here.text(
            "Async.VM.migrate_send", .string(vm), try await token(), .bool(true), Self.map(disks), .members([]),
            Self.map(options), .members([]), Self.map(formats))
        return try await here.session.waitForTask(task).value()
    }

    static func map(_ entries: [(String, String)]) -> WireValue {
        .members(entries.map { (name: $0.0, value: .string($0.1)) })
    }

    /// `xe vm-migrate` to the other pool, as an administrator types it.
    func migrate(_ vm: String, _ parameters: [String]) async throws -> Tool.Outcome {
        let uuid = try await here.text("VM.get_uuid", .string(vm))
        return try Tool.run(
            "xe",
            [
                "-s", "127.0.0.2", "-p", port(here), "-u", "root", "-pw", here.password, "vm-migrate", "uuid=\(uuid)",
                "remote-master=127.0.0.2:\(port(there))", "remote-username=root", "remote-password=\(there.password)",
            ] + parameters)
    }

    /// A command of `xe` to this pool.
    func xe(_ words: String...) throws -> Tool.Outcome {
        try Tool.run("xe", ["-s", "127.0.0.2", "-p", port(here), "-u", "root", "-pw", here.password] + words)
    }

    var back: TwoPools { TwoPools(here: there, there: here) }

    /// Neither side has anything to tell the other of a move any more.
    func awaitNoMoves() async throws {
        for toolstack in [here, there] {
            var told = ""
            do {
                try await reach("no move is left to be told of", atMost: .seconds(300)) {
                    told = try await toolstack.text("VM.get_peer_moves")
                    return told == "[]"
                }
            } catch let error as NotReached {
                throw RunningToolstack.Failure(description: "\(error): \(told)")
            }
        }
    }

    /// Nothing is left of a move on either side but what belongs to the machine.
    func awaitQuiet() async throws {
        for toolstack in [here, there] {
            for name in ["VM", "VDI", "SR"] {
                try await reach("no \(name) is in an operation", atMost: .seconds(300)) {
                    let all = try await toolstack.call("\(name).get_all_records").members ?? []
                    return all.allSatisfy { $0.value.member("current_operations")?.members?.isEmpty ?? true }
                }
            }
        }
    }

    /// The machines of a pool but its control domain.
    static func machines(_ toolstack: RunningToolstack) async throws -> [(ref: String, uuid: String)] {
        (try await toolstack.call("VM.get_all_records").members ?? []).filter {
            $0.value.member("is_control_domain") != .bool(true)
        }.map { ($0.name, $0.value.member("uuid")?.text ?? "") }
    }
}
