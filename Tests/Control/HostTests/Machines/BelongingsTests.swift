import APITypes
import Foundation
import Logging
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

/// What a machine takes along to another pool besides its disks.
@Suite struct BelongingsTests {
    private static func message(_ name: String, body: String = "", about snapshot: String? = nil) -> OfferedMessage {
        OfferedMessage(uuid: Fresh.uuid(), snapshot: snapshot, name: name, priority: 3, time: 1_000_000_000, body: body)
    }

    /// However many there are, and however long: no question is longer than another side takes.
    @Test func messagesGoInPieces() {
        #expect(OfferedMessages.pieces([]).isEmpty)
        let many = (0..<1201).map { Self.message("\($0)") }
        #expect(OfferedMessages.pieces(many).map(\.messages.count) == [500, 500, 201])
        #expect(OfferedMessages.pieces(many).flatMap(\.messages) == many)
        let long = (0..<20).map { _ in Self.message("n", body: String(repeating: "x", count: Alerts.longestBody)) }
        #expect(OfferedMessages.pieces(long).map(\.messages.count) == [7, 7, 6])
    }

    /// They keep their names and times, come once, and are about what is here.
    @Test func messagesComeOnce() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let (plain, older) = (Self.message("A", body: "b"), Self.message("B", about: "OpaqueRef:s"))
        let strange = [
            Self.message("C", about: "OpaqueRef:unknown"), Self.message(String(repeating: "x", count: 1025)),
            Self.message("D", body: String(repeating: "x", count: Alerts.longestBody + 1)),
            OfferedMessage(uuid: "none", snapshot: nil, name: "E", priority: 1, time: 0, body: ""),
        ]
        for _ in 0..<2 {
            try await database.transaction { tx in
                OfferedMessages(messages: [plain, older] + strange).insert(
                    machine: "vm", snapshots: ["OpaqueRef:s": "snapshot"], in: tx)
            }
        }
        let rows = database.read { $0.rows(XenMessage.self) }
        #expect(Set(rows.map { $0[XenMessage.uuid] }) == [plain.uuid, older.uuid] && rows.count == 2)
        #expect(Set(rows.map { $0[XenMessage.objUUID] }) == ["vm", "snapshot"])
        #expect(rows.allSatisfy { $0[XenMessage.timestamp].seconds == 1_000_000_000 && $0[XenMessage.cls] == .vm })
    }

    /// Blobs that are at the other side go with their owner; those that are not, or were written since, stay without one.
    @Test func whatWasNotSentStays() async throws {
        let folder = try ScratchFolder("belongings")
        let database = try await PoolDatabase.open(path: nil)
        let store = try BlobStore(database: database, folder: folder.path, logger: Logger(label: "test"))
        let (vm, host) = (Ref<VM>.new(), Ref<APITypes.Host>.new())
        let blobs = try await database.transaction { tx -> [Ref<Blob>] in
            tx.insert(APITypes.Host.self, ref: host) { row in row[APITypes.Host.uuid] = "the-host" }
            let blobs = try ["sent", "late", "unsent"].map { name in
                let blob = try BlobStore.insert(mimeType: "", name: name, isPublic: false, in: tx)
                tx.setPrivate(kind: BlobStore.ownerKind, key: blob.opaque, value: "VM/\(vm.opaque)")
                return blob
            }
            tx.insert(VM.self, ref: vm) { row in
                row[VM.blobs] = Dictionary(uniqueKeysWithValues: zip(["sent", "late", "unsent"], blobs))
            }
            return blobs
        }
        var delivered = DeliveredBelongings()
        for owned in database.read({ BlobStore.owned(by: VM.className, vm.opaque, $0) }) where owned.name != "unsent" {
            delivered.blobs[owned.blob.ref] = owned.version
        }
        let upload = try store.begin(store.find(ref: blobs[1].opaque, uuid: nil))
        try upload.write([1])
        try await store.finish(upload, for: store.find(ref: blobs[1].opaque, uuid: nil))
        delivered.failures = ["nobody answers"]
        let known = delivered
        let gone = try await database.transaction { tx -> [String] in
            let gone = try known.leave([vm], uuid: "the-vm", to: "there", from: host, in: tx)
            tx.delete(vm)
            return gone
        }
        store.removeContents(gone)
        await store.sweep()
        #expect(gone.count == 1)
        #expect(Set(database.read { $0.rows(Blob.self).map { $0.ref } }) == Set(blobs.dropFirst().map(\.opaque)))
        #expect(database.read { $0.privateRecords(kind: BlobStore.ownerKind).isEmpty })
        let body = database.read { $0.rows(XenMessage.self).map { $0[XenMessage.body] } }
        #expect(body.count == 1 && body[0].contains("the-vm") && body[0].contains("nobody answers"))
        #expect(body[0].contains("late (") && body[0].contains("unsent (") && !body[0].contains(" sent ("))
    }

    /// Which content was sent is told by its size, too: times have whole seconds.
    @Test func aBlobIsKnownByItsTimeAndSize() {
        let time = APIDate(seconds: 7)
        #expect(BlobStore.Version(size: 1, updated: time) != BlobStore.Version(size: 2, updated: time))
    }

    /// What came from elsewhere and is older goes first, however late it came; what says that it is of the future is as old as its place.
    @Test func oldMessagesOfOthersPushNothingOut() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let new = WallClock.seconds
        try await database.transaction { tx in
            for (name, time) in [
                ("future", new + 100_000), ("own", new - 10), ("foreign", 1_000_000_000), ("now", new),
            ] {
                Alerts.post(
                    .init(name: name, priority: 5), about: .vm, uuid: "u", body: "", in: tx,
                    as: (uuid: Fresh.uuid(), time: APIDate(seconds: time)))
            }
        }
        for left in [["future", "own", "now"], ["future", "now"], ["now"]] {
            try await database.transaction { tx in Alerts.trim(tx, to: left.count) }
            #expect(database.read { $0.rows(XenMessage.self).map { $0[XenMessage.name] } } == left)
        }
    }

    /// One end for all questions: who says nothing keeps a caller no longer, however often he is asked.
    @Test func whoCannotBeReachedIsTriedForTwentySeconds() async {
        let start = ContinuousClock.now
        let patience = BelongingsPatience(from: start)
        #expect(patience.end == start + .seconds(20))
        #expect(patience.limit(at: start) == .seconds(15) && patience.limit(at: start + .seconds(12)) == .seconds(8))
        #expect(patience.limit(at: start + .seconds(30)) == .seconds(1))
        // Silent each time.
        var (now, failures) = (start, 0)
        while true {
            now += patience.limit(at: now)
            failures += 1
            guard let pause = patience.pause(after: failures, at: now) else { break }
            now += pause
        }
        #expect(failures == 2 && now <= start + .seconds(20))
        // Refused at once each time.
        let pauses = (1...6).map { patience.pause(after: $0, at: start) }
        #expect(pauses == [.milliseconds(500), .seconds(2), .seconds(5), .seconds(10), nil, nil])
        // What is no matter of reaching it is not tried again.
        var asked = 0
        let told = await #expect(throws: APIError.self) {
            try await patience.ask { _ in
                asked += 1
                throw APIError("PERMISSION_DENIED", "no")
            }
        }
        #expect(told?.code == "PERMISSION_DENIED" && asked == 1)
    }

    /// The rate is QEMU's, and what the guest changes meanwhile goes again.
    @Test func theMemoryIsPacedByWhatIsLeft() {
        var pace = MemoryPace()
        let start = ContinuousClock.now
        pace.look(sent: 0, at: start)
        #expect(pace.notes(remaining: 100, dirtied: 0) == ["bytes_per_second": "0", "seconds_left": ""])
        pace.look(sent: 50, at: start + .milliseconds(100))
        #expect(pace.bytesPerSecond == nil)
        pace.look(sent: 200, at: start + .seconds(2))
        #expect(pace.notes(remaining: 1000, dirtied: 0) == ["bytes_per_second": "100", "seconds_left": "10"])
        #expect(pace.secondsLeft(1000, dirtied: 50) == 20)
        // It does not come to an end so; QEMU gives the guest less time then.
        #expect(pace.secondsLeft(1000, dirtied: 100) == nil && pace.secondsLeft(0, dirtied: 100) == 0)
        // Sent anew, to another QEMU.
        pace.look(sent: 10, at: start + .seconds(3))
        #expect(pace.bytesPerSecond == nil && pace.secondsLeft(5, dirtied: 0) == nil)
    }
}
