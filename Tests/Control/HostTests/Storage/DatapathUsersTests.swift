import DatapathControl
import Foundation
import Logging
import TestSupport
import Testing

@testable import Toolstack

/// Which users data paths are.
@Suite struct DatapathUsersTests {
    @Test func noTwoDataPathsAreTheSameUser() {
        var users = DatapathUsers(first: 5000, isRoot: true)
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
        var (plain, unwanted) = (DatapathUsers(first: 5000, isRoot: false), DatapathUsers(first: 0, isRoot: true))
        #expect(plain.next() == nil)
        #expect(unwanted.next() == nil)
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
