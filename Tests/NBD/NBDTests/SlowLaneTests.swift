import BlockIO
import CoreTypes
import NBDProtocol
import TestSupport
import Testing

@testable import NBDTransport

/// Requests that take long, when there are many of them.
struct SlowLaneTests {
    @Test func aRingHasItsPlacesAndNoMore() {
        var ring = JobRing<Int>(capacity: 3)
        #expect(ring.take() == nil)
        var (next, expected) = (0, 0)
        for count in [3, 1, 2, 3] {
            while ring.count < count {
                let isTaken = ring.append(next)
                #expect(isTaken)
                next += 1
            }
            if count == 3 {
                let isTaken = ring.append(99)
                #expect(ring.isFull && !isTaken)
            }
            while ring.count > count / 2 {
                #expect(ring.take() == expected)
                expected += 1
            }
        }
        #expect(ring.capacity == 3)
    }

    /// A client that asks for more flushes than are kept is not listened to until some are done. What it asked for before is
    /// answered, and so is everybody else.
    @Test func aFullLaneHoldsItsOwnConnectionOnly() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        device.closeGate()
        let peer = try RawPeer(served.path)
        #expect(peer.enter())
        let count = SlowLane.queueLimit + 20
        let flushes = (0..<count).flatMap { RawPeer.request(NBDCommand.flush, handle: UInt64($0) + 100) }
        #expect(peer.send(RawPeer.request(NBDCommand.read, handle: 7, length: 512) + flushes))
        #expect(peer.receive(16 + 512)?.prefix(8).suffix(4) == [0, 0, 0, 0])
        #expect(try served.connect().bytes(at: 0, 1) == [0])
        // What it asks for behind all that has not been heard.
        #expect(peer.send(RawPeer.request(NBDCommand.read, handle: 8, length: 512)))
        #expect(peer.isSilent(for: 100))
        device.openGate()
        var (flushed, isRead) = (0, false)
        while flushed < count || !isRead {
            let head = try #require(peer.receive(16))
            if head.last == 8, head.dropLast().suffix(7).allSatisfy({ $0 == 0 }) {
                isRead = true
                #expect(flushed > 0 && peer.receive(512) != nil)
            } else {
                flushed += 1
                #expect(head[4..<8] == [0, 0, 0, 0])
            }
        }
    }

    /// What one connection's flush has met the others are told by theirs, once; who comes later is not.
    @Test func aFailedFlushIsToldToAllConnections() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let clients = try (0..<3).map { _ in try served.connect() }
        for client in clients {
            try client.put([1], at: 0)
            try client.flush()
        }
        device.failNextFlush(with: BlockError(.io, "injected"))
        #expect(throws: BlockError.self) { try clients[1].flush() }
        let later = try served.connect()
        try later.flush()
        for client in [clients[0], clients[2]] {
            let error = #expect(throws: BlockError.self) { try client.flush() }
            #expect(error?.code == .io)
        }
        for client in clients { try client.flush() }
    }

    /// The same disk under a second name: nobody writes by it, and who flushes by it does not hear what is for those who write,
    /// whether they are there or come later.
    @Test func aDiskIsServedToReadersUnderANameOfItsOwn() throws {
        let device = GateDevice(size: 1 << 20)
        let folder = try ScratchFolder("readers")
        let export = NBDExport(name: "disk", device: device)
        let server = NBDServer(exports: [export, export.readOnly(named: "readers")])
        try server.start(unixSocket: folder.file("s"))
        defer { server.stop() }
        let writer = try NBDClient.connect(unixSocket: folder.file("s"), exportName: "disk")
        let reader = try NBDClient.connect(unixSocket: folder.file("s"), exportName: "readers")
        #expect(reader.isReadOnly && !writer.isReadOnly)
        try writer.put([7], at: 512)
        #expect(try reader.bytes(at: 512, 1) == [7])
        // What clients are told is not what keeps them from writing.
        let peer = try RawPeer(folder.file("s"))
        #expect(peer.enter(export: "readers"))
        for command in [NBDCommand.write, NBDCommand.trim, NBDCommand.writeZeroes] {
            let payload = [UInt8](repeating: 9, count: command == NBDCommand.write ? 512 : 0)
            #expect(peer.send(RawPeer.request(command, offset: 512, length: 512) + payload))
            #expect(peer.receiveError() == NBDErrno.permission)
        }
        #expect(try writer.bytes(at: 512, 1) == [7])
        device.failNextFlush(with: BlockError(.io, "injected"))
        let before = device.flushCount
        #expect(peer.send(RawPeer.request(NBDCommand.flush)))
        #expect(peer.receiveError() == 0)
        #expect(device.flushCount == before)
        let later = try NBDClient.connect(unixSocket: folder.file("s"), exportName: "disk")
        #expect(throws: BlockError.self) { try later.flush() }
        #expect(throws: BlockError.self) { try writer.flush() }
        try later.flush()
        try writer.flush()
    }

    @Test func failuresAreOwedToWhoHasNotSeenThem() {
        var failures = FlushFailures()
        var (early, late) = (failures.count, failures.count)
        #expect(failures.owed(to: &early) == nil)
        failures.add(BlockError(.io, "a"))
        failures.add(BlockError(.noSpace, "b"))
        #expect(failures.owed(to: &early)?.code == .noSpace)
        #expect(failures.owed(to: &early) == nil)
        failures.add(BlockError(.io, "c"))
        #expect(failures.owed(to: &late)?.message == "c")
        #expect(failures.owed(to: &early)?.message == "c" && failures.owed(to: &late) == nil)
    }

    /// A server that refused a flush and then says that all is well is not believed, by whoever asks.
    @Test func aRefusedFlushOfAnExportIsNeverTakenBack() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let location = try #require(NBDLocation(parsing: served.uri))
        let export = UnflushedExport(try NBDConnections(location, count: 2))
        try export.put([1], at: 0)
        try export.flush()
        #expect(!export.hasVolatileMetadata)
        try export.put([2], at: 0)
        device.failNextFlush(with: BlockError(.io, "injected"))
        #expect(throws: BlockError.self) { try export.flush() }
        for _ in 0..<4 { #expect(throws: BlockError.self) { try export.flush() } }
        #expect(export.hasVolatileMetadata)
        #expect(throws: BlockError.self) { try export.close() }
    }
}
