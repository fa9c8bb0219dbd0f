import DatapathControl
import Foundation
import Logging
import TestSupport
import Testing

@testable import Toolstack

/// Which users data paths are.
@Suite struct DatapathUsersTests {
    @Test func noTwoDataPathsAreTheSameUser() {
        let users = DatapathUsers(first: 5000, isRoot: true)
        users.take(5001)
        #expect([users.next(), users.next()] == [5000, 5002])
        // What was given back is not the next one: something of it may still be there.
        users.giveBack(5000)
        #expect(users.next() == 5003)
        for _ in 0..<(DatapathUsers.count - 4) { #expect(users.next() != nil) }
        #expect(users.next() == 5000)
        #expect(users.next() == nil)
        users.giveBack(5001)
        #expect(users.next() == 5001)
    }

    @Test func thereAreNoneWithoutRootOrWhereNoneAreWanted() {
        let (plain, unwanted) = (DatapathUsers(first: 5000, isRoot: false), DatapathUsers(first: 0, isRoot: true))
        #expect(plain.next() == nil)
        #expect(unwanted.next() == nil)
    }

    /// Two toolstacks of a machine never share a number: who wants some of another's range is refused, who wants any gets others.
    @Test func rangesOfUsersDoNotMeet() throws {
        let folder = try ScratchFolder("user-ranges")
        func claim(_ wanted: UInt32?) throws -> DatapathUserRange? {
            try DatapathUserRange.claim(wanted, file: folder.file("users"), isRoot: true)
        }
        let first = try #require(try claim(nil))
        let second = try #require(try claim(nil))
        #expect(first.first == DatapathUserRange.standardFirst)
        #expect(second.first == first.first + DatapathUserRange.count)
        for wanted in [first.first, first.first - 1, second.first + 65535] {
            let error = #expect(throws: DatapathUserRange.Taken.self) { _ = try claim(wanted) }
            #expect(error?.description.contains("users \(wanted) to \(wanted + 65535) cannot be had") == true)
        }
        var third = try claim(second.first + DatapathUserRange.count)
        #expect(third != nil)
        #expect(throws: DatapathUserRange.Taken.self) { _ = try claim(second.first + DatapathUserRange.count) }
        third = nil
        #expect(try claim(second.first + DatapathUserRange.count) != nil)
        #expect(try claim(0) == nil)
        #expect(try DatapathUserRange.claim(nil, file: folder.file("users"), isRoot: false) == nil)
        withExtendedLifetime((first, second, third)) {}
    }

    /// A data path of a toolstack that is gone is still somebody.
    @Test(.enabled(if: geteuid() == 0)) func usersOfLivingProcessesAreGivenToNobody() throws {
        let folder = try ScratchFolder("user-present")
        let user: UInt32 = 1_900_300_001
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = [
            "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", "sh", "-c", "echo; exec sleep 1000",
        ]
        let output = Foundation.Pipe()
        process.standardOutput = output
        try process.run()
        defer {
            // Children may have other signals blocked.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        #expect(try output.fileHandleForReading.read(upToCount: 1) != nil)
        let range = try #require(try DatapathUserRange.claim(user - 1, file: folder.file("users")))
        #expect(range.present == [user])
        let users = DatapathUsers(range)
        #expect([users.next(), users.next()] == [user - 1, user + 1])
        do {
            let loan = users.lend()
            #expect(loan?.arguments == ["--user", "\(user + 2)"])
            #expect(users.next() == user + 3)
        }
        for _ in 0..<(DatapathUsers.count - 4) { #expect(users.next() != nil) }
        // What was lent is there again.
        #expect(users.next() == nil)
    }

    /// Each has a user that no other has, also after another toolstack has taken over; files that are root's alone are served.
    @Test(.enabled(if: geteuid() == 0)) func aDataPathOfTheToolstackIsNobody() async throws {
        let folder = try ScratchFolder("users")
        let program = try Tool.find("gantry-datapath")
        func host() -> DatapathHost {
            DatapathHost(
                folder: folder.file("dp"), program: program, users: DatapathUsers(first: 1_900_200_000),
                logger: Logger(label: "test"))
        }
        func start(_ name: String, on host: DatapathHost) async throws -> UInt32 {
            #expect(
                FileManager.default.createFile(
                    atPath: folder.file(name), contents: Data(count: 1 << 20), attributes: [.posixPermissions: 0o600]))
            let handle = try await host.start(name, image: ImageSpecification(path: folder.file(name), format: "raw"))
            let pid = try await handle.client.status().pid
            let owner = try FileManager.default.attributesOfItem(atPath: folder.file("dp/\(name)/own"))[.ownerAccountID]
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Uid:") })
            let user = try #require(line.split(separator: "\t").last.flatMap { UInt32($0) })
            #expect(owner as? UInt32 == user)
            let record = folder.file("dp/\(name)/record.json")
            #expect(try FileManager.default.attributesOfItem(atPath: record)[.ownerAccountID] as? UInt32 == 0)
            try Tool.check(
                "qemu-io", ["-f", "raw", "-c", "write -P 7 0 64k", "nbd+unix:///disk?socket=\(handle.nbdSocket)"])
            return user
        }
        let first = host()
        var users = [try await start("one", on: first), try await start("two", on: first)]
        let second = host()
        #expect(await second.adoptAll().sorted() == ["one", "two"])
        users.append(try await start("three", on: second))
        #expect(users == [1_900_200_000, 1_900_200_001, 1_900_200_002])
        for name in ["one", "two", "three"] { await second.stop(name) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("dp")) == [])
    }
}
