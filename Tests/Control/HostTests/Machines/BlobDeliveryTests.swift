import APITypes
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import Synchronization
import TestSupport
import Testing

@testable import Toolstack

/// Blobs on their way to another pool.
@Suite struct BlobDeliveryTests {
    /// The other pool: what it has, and what was done there.
    private final class Pool: Sendable {
        struct Blob {
            var name: String
            var owner: String
            var size: Int64
            var updated: Int64
        }

        private let state = Mutex<[String: Blob]>([:])
        /// Of uuids, and of which machines what has them is a snapshot.
        let machines: [String: (ref: String, of: String)]
        /// By methods, or by the names of blobs that are put, what they fail with.
        let failures: [String: APIError]

        init(_ blobs: [String: Blob], _ machines: [String: (ref: String, of: String)], _ failures: [String: APIError]) {
            (self.machines, self.failures) = (machines, failures)
            state.withLock { $0 = blobs }
        }

        /// By owner and name, their sizes.
        var blobs: [String: Int64] {
            state.withLock { all in
                Dictionary(uniqueKeysWithValues: all.values.map { ("\($0.owner)/\($0.name)", $0.size) })
            }
        }

        func answer(_ method: String, _ parameters: [WireValue]) throws -> WireValue {
            if let failure = failures[method] { throw failure }
            guard case .string(let subject)? = parameters.first else { throw APIError.internalError("no subject") }
            switch method {
            case "VM.get_by_uuid":
                guard let found = machines[subject] else { throw APIError.uuidInvalid("VM", subject) }
                return .string(found.ref)
            case "VM.get_snapshot_of": return .string(machines.values.first { $0.ref == subject }?.of ?? "")
            case "VM.get_blobs":
                return .structure(
                    state.withLock { all in
                        all.filter { $0.value.owner == subject }.map { WireMember($0.value.name, .string($0.key)) }
                    })
            case "blob.get_size": return .string(String(state.withLock { $0[subject]?.size } ?? -1))
            case "blob.get_last_updated":
                return .dateTime(DateTimeText.format(state.withLock { $0[subject]?.updated } ?? 0))
            case "VM.create_new_blob":
                guard case .string(let name) = parameters[1] else { throw APIError.internalError("no name") }
                state.withLock { $0["ref-\(name)"] = Blob(name: name, owner: subject, size: 0, updated: 0) }
                return .string("ref-\(name)")
            default: throw APIError.internalError(method)
            }
        }

        func put(_ size: Int64, into ref: String) throws {
            let name = state.withLock { $0[ref]?.name } ?? ""
            if let failure = failures[name] { throw failure }
            state.withLock { all in
                all[ref]?.size = size
                all[ref]?.updated = 1_000_000
            }
        }
    }

    private static func owned(_ name: String, _ size: Int64, at time: Int64 = 1000) async throws -> BlobStore.Owned {
        let database = try await PoolDatabase.open(path: nil)
        let blob = try await database.transaction {
            try BlobStore.insert(mimeType: "", name: name, isPublic: false, in: $0)
        }
        return BlobStore.Owned(
            blob: StoredBlob(try #require(database.read { $0.row(blob) })), name: name,
            version: BlobStore.Version(size: size, updated: APIDate(seconds: time)))
    }

    private static func send(
        _ owners: [BlobDelivery.Owner], to pool: Pool
    ) async -> (sent: [String], failures: [String], error: (any Error)?) {
        let all = owners.flatMap(\.blobs)
        let delivery = BlobDelivery(
            machine: "machine", call: { try pool.answer($0, $1) },
            upload: { blob, ref in
                try pool.put(all.first { $0.blob.ref == blob.ref }?.version.size ?? 0, into: ref)
            }, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        var delivered = DeliveredBelongings()
        var failure: (any Error)?
        do { try await delivery.send(owners, &delivered) } catch { failure = error }
        let sent = all.filter { delivered.blobs[$0.blob.ref] == $0.version }.map(\.name)
        return (sent, delivered.failures, failure)
    }

    /// Another of its name, one that is not taken, a snapshot that is not there: the others go, and each reason is told.
    @Test func aBlobThatCannotBeSentKeepsNoOther() async throws {
        let pool = Pool(
            ["x": .init(name: "a", owner: "machine", size: 3, updated: 5000)], ["s2": ("second", "machine")],
            ["b": APIError("INTERNAL_ERROR", "full")])
        var own: [BlobStore.Owned] = []
        for (name, size) in [("a", 4), ("b", 1), ("c", 2), ("empty", 0)] {
            own.append(try await Self.owned(name, Int64(size)))
        }
        let (one, two) = (try await Self.owned("d", 1), try await Self.owned("e", 5))
        let told = await Self.send(
            [
                .init(uuid: "m", isSnapshot: false, blobs: own), .init(uuid: "s1", isSnapshot: true, blobs: [one]),
                .init(uuid: "s2", isSnapshot: true, blobs: [two]),
            ], to: pool)
        #expect(told.sent == ["c", "empty", "e"] && told.error == nil)
        #expect(told.failures.count == 3)
        #expect(told.failures[0].contains("MAP_DUPLICATE_KEY") && told.failures[0].hasPrefix("a: "))
        #expect(told.failures[1].hasPrefix("b: ") && told.failures[2].contains("UUID_INVALID"))
        #expect(
            pool.blobs == [
                "machine/a": 3, "machine/b": 0, "machine/c": 2, "machine/empty": 0, "second/e": 5,
            ])
    }

    /// A snapshot whose uuid was taken there has got another one.
    @Test func noStrangerGetsTheBlobOfASnapshot() async throws {
        let pool = Pool([:], ["s": ("stranger", "another")], [:])
        let told = await Self.send(
            [.init(uuid: "s", isSnapshot: true, blobs: [try await Self.owned("a", 1)])], to: pool)
        #expect(told.sent.isEmpty && pool.blobs.isEmpty && told.error == nil)
        #expect(told.failures.count == 1 && told.failures[0].contains("UUID_INVALID"))
    }

    /// Nothing more is tried where it would not get there, either.
    @Test func withoutASessionNoneIsTried() async throws {
        let pool = Pool([:], [:], ["VM.get_blobs": APIError("SESSION_INVALID", "s")])
        let told = await Self.send(
            [.init(uuid: "m", isSnapshot: false, blobs: [try await Self.owned("a", 1), try await Self.owned("b", 1)])],
            to: pool)
        #expect(told.sent.isEmpty && told.failures.isEmpty && (told.error as? APIError)?.code == "SESSION_INVALID")
    }

    /// What an earlier try has sent is there, unless it was written here since.
    @Test func whatWasSentBeforeIsNotSentAgain() async throws {
        func blob(_ size: Int64) -> Pool.Blob { .init(name: "a", owner: "machine", size: size, updated: 1000) }
        for (size, time, isSent) in [
            (Int64(7), Int64(1000), true), (7, 1001, false), (8, 1000, false), (0, 1001, true),
        ] {
            let pool = Pool(["x": blob(size)], [:], [:])
            let owned = try await Self.owned("a", 7, at: time)
            let told = await Self.send([.init(uuid: "m", isSnapshot: false, blobs: [owned])], to: pool)
            #expect(told.sent == (isSent ? ["a"] : []), "\(size) \(time)")
            #expect(pool.blobs == ["machine/a": isSent ? 7 : size])
        }
    }
}
