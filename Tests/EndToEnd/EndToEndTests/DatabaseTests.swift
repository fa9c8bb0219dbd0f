import APITypes
import Foundation
import RPCCodec
import Synchronization
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Database {
        /// What was answered and what was asked last, by object.
        private final class Ledger: Sendable {
            private struct Numbers: Sendable {
                var asked: [String: Int] = [:]
                var answered: [String: Int] = [:]
                var total = 0
            }

            private let numbers = Mutex(Numbers())

            func ask(_ ref: String, _ number: Int) { numbers.withLock { $0.asked[ref] = number } }

            func answer(_ ref: String, _ number: Int) {
                numbers.withLock {
                    $0.answered[ref] = number
                    $0.total += 1
                }
            }

            func asked(_ ref: String) -> Int { numbers.withLock { $0.asked[ref] ?? 0 } }
            func answered(_ ref: String) -> Int { numbers.withLock { $0.answered[ref] ?? 0 } }
            var total: Int { numbers.withLock { $0.total } }
        }

        /// 16 clients write as fast as they can, 10,000 writes in all with `GANTRY_LONG=1`, else fewer between kills that come
        /// as often; the daemon is killed again and again meanwhile.
        @Test func noAnsweredWriteIsLostWhenTheDaemonIsKilled() async throws {
            var random = SeededRandom.printed()
            let wanted = ProcessInfo.processInfo.environment["GANTRY_LONG"] != nil ? 10_000 : 3000
            try await withToolstack { toolstack in
                var refs: [String] = []
                for index in 0..<16 { refs.append(try await toolstack.makeRepository("r\(index)", formats: "raw").ref) }
                let ledger = Ledger()
                while ledger.total < wanted {
                    let stop = min(wanted, ledger.total + wanted / 8 + Int.random(in: 0..<wanted / 4, using: &random))
                    try await write(to: refs, ledger, until: stop, at: .unixSocket(path: toolstack.socket)) {
                        await toolstack.killHard()
                    }
                    try await toolstack.start()
                    for ref in refs {
                        let config = try await toolstack.call("SR.get_other_config", .string(ref))
                        let found = config.member("number")?.text.flatMap(Int.init) ?? 0
                        #expect(found >= ledger.answered(ref), "an answered write of \(ref) is lost")
                        #expect(found <= ledger.asked(ref))
                        ledger.ask(ref, found)
                    }
                }
            }
        }

        /// One client for each object writes ever higher numbers, until `stop` writes were answered in all; then `end` is
        /// called in the middle of it.
        private func write(
            to refs: [String], _ ledger: Ledger, until stop: Int, at address: ServerAddress,
            _ end: () async -> Void
        ) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (reached, signal) = AsyncStream.makeStream(of: Void.self)
                for ref in refs {
                    group.addTask {
                        let session = try await XenAPISession.login(at: address, user: "root", password: "")
                        defer { signal.yield() }
                        for number in (ledger.asked(ref) + 1)... {
                            ledger.ask(ref, number)
                            let value = WireValue.members([("number", .string(String(number)))])
                            do {
                                _ = try await session.call("SR.set_other_config", [.string(ref), value])
                            } catch is ConnectionError {
                                break
                            }
                            ledger.answer(ref, number)
                            if ledger.total >= stop { signal.yield() }
                        }
                        await session.logout()
                    }
                }
                for await _ in reached { break }
                await end()
                try await group.waitForAll()
            }
        }

        @Test func aDumpIsCheckedAndBroughtBackOnTheNextStart() async throws {
            try await withToolstack { toolstack in
                let before = try await toolstack.makeRepository("before", formats: "raw").ref
                let dump = toolstack.folder.file("dump")
                _ = try await toolstack.session.download(from: "/pool/xmldbdump", query: [], to: dump) { _ in }
                let after = try await toolstack.makeRepository("after", formats: "raw").ref
                func restore(_ path: String, dryRun: Bool) async throws -> TaskStatus {
                    let task = try await toolstack.text("task.create", .string("restore"), .string(""))
                    _ = try? await toolstack.session.upload(
                        file: path, to: "/pool/xmldbdump",
                        query: [(name: "dry_run", value: String(dryRun)), (name: "task_id", value: task)]
                    ) { _, _ in }
                    return try await toolstack.session.waitForTask(task)
                }
                // Damage is found, were it one bit of a name; nothing comes of it.
                var bytes = try Data(contentsOf: URL(fileURLWithPath: dump))
                let name = try #require(bytes.range(of: Data("before".utf8)))
                bytes[name.lowerBound] ^= 4
                let bad = toolstack.folder.file("bad")
                try bytes.write(to: URL(fileURLWithPath: bad))
                try Data("no database".utf8).write(to: URL(fileURLWithPath: toolstack.folder.file("text")))
                for path in [bad, toolstack.folder.file("text")] {
                    let status = try await restore(path, dryRun: false)
                    #expect(throws: APIError.self) { try status.value() }
                }
                _ = try await restore(dump, dryRun: true).value()
                let file = toolstack.folder.file("file")
                _ = try await toolstack.session.download(
                    from: "/pool/xmldbdump", query: [(name: "format", value: "sqlite")], to: file
                ) { _ in }
                _ = try await restore(file, dryRun: true).value()
                let token = try await toolstack.call("event.get_current_id").text
                await toolstack.stop()
                try await toolstack.start()
                #expect(try await toolstack.call("SR.get_all").items?.count == 2, "a dry run changes nothing")

                _ = try await restore(dump, dryRun: false).value()
                #expect(try await toolstack.call("SR.get_all").items?.count == 2, "not before the next start")
                await toolstack.stop()
                try await toolstack.start()
                #expect(try await toolstack.call("SR.get_all").items?.compactMap(\.text) == [before])
                await #expect(throws: APIError.self) { try await toolstack.call("SR.get_uuid", .string(after)) }
                let now = try await toolstack.call("event.get_current_id").text
                #expect(Int(now ?? "") ?? 0 > Int(token ?? "") ?? .max, "generations go on")
                let state = try FileManager.default.contentsOfDirectory(atPath: toolstack.stateDirectory)
                #expect(state.contains("pool.db.before-restore"))
                #expect(!state.contains { $0.contains("received") || $0.contains("dump-") || $0.contains("restored") })
            }
        }
    }
}
