import BlockIO
import CLinux
import Glibc
import NBDProtocol
import Synchronization
import TestSupport
import Testing

@testable import NBDTransport

/// Callers who do not wait for a server that says nothing: their buffers are theirs again at once, and what they asked comes
/// late and whole, or not at all.
struct ClientPatienceTests {
    /// Most of them are to be late. Who is to be answered in time has a minute: a busy machine may let nobody run for a while.
    private func write(
        _ byte: UInt8, _ count: Int, at offset: UInt64, to client: NBDClient, _ late: LateChanges,
        within nanoseconds: UInt64 = 100_000_000
    ) throws {
        let buffer = AlignedBuffer(count: count)
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<count])
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: byte)
        // Whoever waits no more may use it for something else.
        defer { unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0xEE) }
        let patience = Patience(nanoseconds, since: gantry_now(), late: late)
        try unsafe client.write(UnsafeRawBufferPointer(bytes), at: offset, within: patience)
    }

    /// The way to the server stops: small requests get into it and are not answered, and a large one is stuck in its middle.
    @Test(arguments: [false, true]) func whatWasLateComesWhole(isInTLS: Bool) throws {
        let size = 8 << 20
        let device = MemoryDevice(size: UInt64(size))
        let folder = try ScratchFolder("late")
        let certificates = try Certificates.made.get()
        let security = isInTLS ? ServerSecurity(try .server(folder: certificates.good), isRequired: true) : nil
        let server = NBDServer(exports: [NBDExport(name: "", device: device)], security: security)
        try server.start(unixSocket: folder.file("server"))
        defer { server.stop() }
        let listener = unsafe gantry_unix_listen(folder.file("way"), 1)
        #expect(listener >= 0)
        defer { close(listener) }
        let isShut = Atomic<Bool>(false)
        let way = WorkerThread("way") {
            let there = unsafe gantry_unix_connect(folder.file("server"))
            let here = gantry_accept(listener)
            let back = WorkerThread("back") { pass(there, to: here) { false } }
            pass(here, to: there) { isShut.load(ordering: .acquiring) }
            back.join()
            close(here)
            close(there)
        }
        let client = try NBDClient(
            NBDEndpoint(
                unixSocket: folder.file("way"),
                credentials: isInTLS ? try .client(folder: certificates.good) : nil, peerName: "localhost"))
        let late = LateChanges()
        try write(1, 4096, at: 0, to: client, late, within: 60_000_000_000)
        #expect(late.total == 0)
        isShut.store(true, ordering: .releasing)
        func isLate(_ byte: UInt8, _ count: Int, at offset: UInt64) {
            let error = #expect(throws: BlockError.self) { try write(byte, count, at: offset, to: client, late) }
            #expect(error?.code == .late)
        }
        isLate(2, 4096, at: 4096)
        isLate(3, 4 << 20, at: 1 << 20)
        // Nothing of this one goes out, in the middle of the other.
        isLate(4, 4096, at: 8192)
        #expect(late.total == 3 && late.overlaps(4096..<4097) && late.overlaps(2 << 20..<3 << 20))
        // Who waits for ever is served in the end, behind those.
        let waiter = WorkerThread("waiter") { try? client.put([5], at: 12288) }
        isShut.store(false, ordering: .releasing)
        waiter.join()
        soon { late.isEmpty }
        #expect(try client.bytes(at: 4096, 2) == [2, 2] && client.bytes(at: 8192, 1) == [0])
        #expect(try client.bytes(at: 1 << 20, 4 << 20) == [UInt8](repeating: 3, count: 4 << 20))
        #expect(try client.bytes(at: 12288, 1) == [5])
        try client.close()
        way.join()
    }

    /// The time was over before anything of it went out, and all else was answered by then: nobody comes to end it later.
    @Test func aChangeThatWasNeverSentIsNotLateWhereNothingIsOwed() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let (channel, agreement, first) = try NBDEndpoint(unixSocket: served.path, exportName: "disk").connect()
        let link = ClientLink(channel, agreement: agreement, first: first, limit: AnswerLimit(seconds: nil))
        let late = LateChanges()
        link.sending.lock()
        let writer = WorkerThread("writer") {
            let buffer = AlignedBuffer(count: 512)
            let error = #expect(throws: BlockError.self) {
                try unsafe link.perform(
                    NBDCommand.write, [], at: 0, length: 512,
                    payload: UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<512]), into: nil,
                    within: Patience(1_000_000, since: gantry_now(), late: late))
            }
            #expect(error?.code == .late)
        }
        writer.join()
        link.sending.unlock()
        #expect(late.total == 1 && late.isEmpty)
        link.close()
    }

    /// A write of a part of a block waits for the server to tell the rest of it; those of whole blocks wait for that no longer than
    /// for the server, and none that comes later tries before it has ended.
    @Test func wholeBlocksDoNotStandBehindAPartOfOne() throws {
        let isSilent = Atomic<Bool>(true)
        let reads = Atomic<Int>(0)
        let writes = Atomic<Int>(0)
        let server = try FakeServer(minimumBlock: 4096) { (request, send) in
            if request.command == NBDCommand.read {
                reads.add(1, ordering: .acquiringAndReleasing)
                while isSilent.load(ordering: .acquiring) { usleep(500) }
                _ = send(FakeServer.data(request, at: request.offset, Int(request.length), isLast: true))
            } else {
                writes.add(1, ordering: .acquiringAndReleasing)
                _ = send(FakeServer.simple(request.handle))
            }
        }
        defer { isSilent.store(false, ordering: .releasing) }
        let client = try NBDClient.connect(unixSocket: server.path)
        let part = WorkerThread("part") { try? client.put([1], at: 100) }
        soon { reads.load(ordering: .acquiring) > 0 }
        let late = LateChanges()
        let error = #expect(throws: BlockError.self) { try write(2, 4096, at: 8192, to: client, late) }
        #expect(error?.code == .late && late.overlaps(8192..<8193) && late.isUnderWay)
        let other = #expect(throws: BlockError.self) {
            try client.writeZeroes(
                at: 16384, length: 4096, mayUnmap: true, within: Patience(1_000_000, since: gantry_now(), late: late))
        }
        #expect(other?.code == .late && late.total == 2 && writes.load(ordering: .acquiring) == 0)
        isSilent.store(false, ordering: .releasing)
        part.join()
        soon { late.isEmpty }
        #expect(!late.isLost && writes.load(ordering: .acquiring) == 1)
        try write(2, 4096, at: 8192, to: client, late, within: 60_000_000_000)
        #expect(late.total == 2 && writes.load(ordering: .acquiring) == 2)
        try client.close()
    }

    /// What is left of a large request goes out over a slow link in parts that each tell of progress: nobody is silent.
    @Test func whatWasLeftTellsOfItsProgress() {
        var ends: [Int32] = [0, 0]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (here, there) = (ends[0], ends[1])
        let taken = Atomic<Int>(0)
        let reader = WorkerThread("reader") {
            var piece = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = unsafe read(there, &piece, piece.count)
                if count <= 0 { break }
                taken.add(count, ordering: .relaxed)
            }
        }
        var parts = 0
        let left = UnsentBytes(
            raw: [UInt8](repeating: 1, count: 300 << 10), plain: [UInt8](repeating: 2, count: 1 << 20))
        #expect(Channel(descriptor: here).send(left) { parts += 1 } == 0)
        close(here)
        reader.join()
        close(there)
        #expect(parts == 3 + 8 && taken.load(ordering: .relaxed) == 1324 << 10)
    }

    /// A connection that is cut ends what was late on it, and what was stuck in it. Whether its server does it nobody knows.
    @Test func whatWasLateEndsWithItsConnection() throws {
        let folder = try ScratchFolder("late")
        let served = try Served(MemoryDevice(size: 8 << 20))
        let path = served.path
        let listener = unsafe gantry_unix_listen(folder.file("way"), 1)
        #expect(listener >= 0)
        defer { close(listener) }
        let isShut = Atomic<Bool>(false)
        let way = WorkerThread("way") {
            let there = unsafe gantry_unix_connect(path)
            let here = gantry_accept(listener)
            let back = WorkerThread("back") { pass(there, to: here) { false } }
            pass(here, to: there) { isShut.load(ordering: .acquiring) }
            back.join()
            close(here)
            close(there)
        }
        let client = try NBDClient(NBDEndpoint(unixSocket: folder.file("way"), exportName: "disk"))
        let late = LateChanges()
        isShut.store(true, ordering: .releasing)
        for count in [4096, 4 << 20, 4096] {
            #expect(throws: BlockError.self) { try write(2, count, at: 0, to: client, late) }
        }
        #expect(late.total == 3 && late.isUnderWay && !late.isLost)
        client.interrupt()
        soon { !late.isUnderWay }
        #expect(late.isLost && late.overlaps(1 << 20..<2 << 20))
        #expect { try client.put([1], at: 0) } throws: { ($0 as? BlockError)?.code == .disconnected }
        isShut.store(false, ordering: .releasing)
        #expect(throws: BlockError.self) { try client.close() }
        way.join()
    }
}

/// Returns when it is so; records an issue when that takes more than a minute.
private func soon(at place: SourceLocation = #_sourceLocation, _ isSo: () -> Bool) {
    for _ in 0..<120_000 {
        if isSo() { return }
        usleep(500)
    }
    Issue.record("it does not come to pass", sourceLocation: place)
}

/// Passes on what comes until nothing more does, and nothing while `isShut`.
private func pass(_ from: Int32, to: Int32, while isShut: () -> Bool) {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    var isOver = false
    while !isOver {
        while isShut() { usleep(500) }
        // SAFETY: the array's own storage.
        isOver = unsafe piece.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            let count = Int(unsafe gantry_receive(from, base, buffer.count))
            var sent = 0
            while isShut() { usleep(500) }
            while sent < count {
                let part = unsafe gantry_send(to, base + sent, count - sent)
                if part <= 0 { return true }
                sent += Int(part)
            }
            return count <= 0
        }
    }
    shutdown(to, Int32(SHUT_WR))
}
