import CLinux
import Foundation
import Glibc
import HTTPTypes
import Logging
import Synchronization
import TestSupport
import Testing
import XenAPIClient
import ZstdStreams

@testable import APIServer
@testable import Toolstack

/// The way of a guest's memory from one toolstack to another, with sockets in the place of both QEMUs.
@Suite struct MemoryTunnelTests {
    /// A server at which memory is sent to whoever listens at `receiver`.
    private struct Scene {
        let folder: ScratchFolder
        let port: Int
        let failures: Failures

        var receiver: String { folder.file("receiver") }

        final class Failures: Sendable {
            private let seen = Mutex<[ZstdStreamError.Code]>([])
            var all: [ZstdStreamError.Code] { seen.withLock { $0 } }
            func note(_ error: ZstdStreamError) { seen.withLock { $0.append(error.code) } }
        }

        /// Through a relay as the toolstack has it: the script gets the relay's socket and the receiver's.
        func run(_ script: String, coding: RelayCoding?) async throws -> (printed: String, relay: PeerRelay) {
            let shown = try await PeerConnection.certificate(host: "127.0.0.1", port: port)
            let peer = PeerConnection(host: "127.0.0.1", port: port, fingerprint: shown)
            let socket = folder.file("relay")
            let relay = try await PeerRelay.listen(
                onUnixSocket: socket, to: peer, path: "/memory", fields: [(name: "x-more", value: "1")], coding: coding)
            do {
                let printed = try await Clients.python(MemoryTunnelTests.prelude + script, [socket, receiver])
                await relay.close()
                await peer.close()
                return (printed, relay)
            } catch {
                await relay.close()
                await peer.close()
                throw error
            }
        }
    }

    /// Mirrors that have lost their connection come again at any moment, also when the move has just ended.
    @Test func whoComesWhileARelayClosesEndsNothing() async throws {
        let folder = try ScratchFolder("relay")
        let socket = folder.file("relay")
        let shown = try #require(CertificateFingerprint([String](repeating: "00", count: 32).joined(separator: ":")))
        let peer = PeerConnection(host: "127.0.0.1", port: 1, fingerprint: shown)
        var ended = 0
        for round in 0..<100 {
            let relay = try await PeerRelay.listen(onUnixSocket: socket, to: peer, path: "/memory", fields: [])
            let callers = Task.detached {
                (0..<8).map { _ in
                    // SAFETY: the C string lives for the call.
                    unsafe socket.withCString { unsafe gantry_unix_connect($0) }
                }
            }
            // At different moments of their coming.
            for _ in 0..<(round % 10) { await Task.yield() }
            await relay.close()
            for descriptor in await callers.value where descriptor >= 0 {
                // Each of them is told that it is over.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                var byte: UInt8 = 0
                let isTold = unsafe poll(&waiting, 1, 30_000) == 1
                #expect(unsafe isTold && read(descriptor, &byte, 1) <= 0)
                close(descriptor)
                ended += 1
            }
        }
        #expect(ended > 0)
        await peer.close()
    }

    /// A guest may stand while the ways of its disks end: they wait for nobody who says nothing any more longer than they are told to.
    @Test func anOtherSideThatSaysNothingDoesNotKeepARelayFromClosing() async throws {
        try await withScene { scene in
            let way = try FreezingWay(to: scene.port)
            defer { way.close() }
            let shown = try await PeerConnection.certificate(host: "127.0.0.1", port: scene.port)
            let peer = PeerConnection(host: "127.0.0.1", port: way.port, fingerprint: shown)
            // SAFETY: the C string lives for the call.
            let receiver = unsafe scene.receiver.withCString { unsafe gantry_unix_listen($0, 2) }
            var open = [receiver]
            defer { for descriptor in open { close(descriptor) } }
            func isReady(_ descriptor: Int32) -> Bool {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                return unsafe poll(&waiting, 1, 0) == 1
            }
            var relays: [PeerRelay] = []
            for (name, patience) in [("quick", Duration.milliseconds(20)), ("slow", .seconds(3600))] {
                let socket = scene.folder.file(name)
                relays.append(
                    try await PeerRelay.listen(
                        onUnixSocket: socket, to: peer, path: "/disk", fields: [], endsWithin: patience))
                // SAFETY: as above.
                let sender = unsafe socket.withCString { unsafe gantry_unix_connect($0) }
                open.append(sender)
                #expect(unsafe write(sender, [7], 1) == 1)
                try await reach("the stream has begun") { isReady(receiver) }
                let stream = gantry_accept(receiver)
                open.append(stream)
                try await reach("what was sent is there") { isReady(stream) }
            }
            way.isFrozen.store(true, ordering: .releasing)
            let (quick, slow) = (relays[0], relays[1])
            let ending = Task {
                await slow.close()
                return ContinuousClock.now
            }
            await quick.close()
            let ended = ContinuousClock.now
            way.isFrozen.store(false, ordering: .releasing)
            #expect(await ending.value > ended)
            await peer.close()
        }
    }

    /// A TCP way to a port of this machine on which nothing goes on any more from some moment on.
    private final class FreezingWay: Sendable {
        let port: Int
        let isFrozen = Atomic<Bool>(false)
        private let listener: Int32

        init(to target: Int) throws {
            listener = unsafe "127.0.0.1".withCString { unsafe gantry_tcp_listen($0, 0, 8) }
            try #require(listener >= 0)
            port = Int(gantry_tcp_port(listener))
            Thread { [self] in
                while case let near = gantry_accept(listener), near >= 0 {
                    let far = unsafe "127.0.0.1".withCString { unsafe gantry_tcp_connect($0, UInt16(target)) }
                    let pair = Pair(near, far)
                    for isBack in [false, true] { Thread { self.pass(pair, isBack) }.start() }
                }
            }.start()
        }

        private final class Pair: Sendable {
            let sockets: [Int32]
            init(_ near: Int32, _ far: Int32) { sockets = [near, far] }
            deinit { for socket in sockets { Glibc.close(socket) } }
        }

        private func pass(_ pair: Pair, _ isBack: Bool) {
            let (from, to) = isBack ? (pair.sockets[1], pair.sockets[0]) : (pair.sockets[0], pair.sockets[1])
            var buffer = [UInt8](repeating: 0, count: 65536)
            // SAFETY: at most the array's count is received into it, and what was received is sent from it.
            while case let count = unsafe read(from, &buffer, buffer.count), count > 0 {
                while isFrozen.load(ordering: .acquiring) { usleep(1000) }
                if unsafe write(to, buffer, count) != count { break }
            }
            for socket in pair.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }

        func close() {
            isFrozen.store(false, ordering: .releasing)
            shutdown(listener, Int32(SHUT_RDWR))
            Glibc.close(listener)
        }
    }

    private func withScene(knowsCodings: Bool = true, _ work: (Scene) async throws -> Void) async throws {
        let host = try await TestHost()
        let folder = try ScratchFolder("memory")
        let (failures, receiver) = (Scene.Failures(), folder.file("receiver"))
        var routes = HTTPRoutes()
        for (path, isMemory) in [("/memory", true), ("/disk", false)] {
            routes.on(.connect, path) { routed, writer in
                // SAFETY: the C string lives for the call.
                let descriptor = unsafe receiver.withCString { unsafe gantry_unix_connect($0) }
                guard descriptor >= 0 else { throw HTTPFailure(.forbidden, "nobody listens") }
                let (tunnel, answer) = PeerEndpoint.grant(
                    descriptor, isMemory: isMemory, routed.request.head, knowsCodings: knowsCodings)
                do {
                    try await tunnel.serve(routed.request.body, writer, answer)
                } catch let error as ZstdStreamError {
                    failures.note(error)
                    throw error
                }
            }
        }
        let router = RequestRouter(
            rpc: RPCEndpoint(dispatcher: host.dispatcher), routes: routes, isLocal: false, logger: Logger(label: "test")
        )
        let listener = try await Listener.start(
            .tcp(HTTPAddress(host: "127.0.0.1", port: 0)), router: router,
            tls: try TLSIdentity(folder: folder.file("tls"), listeningOn: "127.0.0.1"), limits: HTTPLimits(),
            budget: ConnectionBudget(100))
        do {
            try await work(Scene(folder: folder, port: try #require(listener.port), failures: failures))
        } catch {
            await listener.stop(patience: .zero)
            throw error
        }
        await listener.stop(patience: .zero)
    }

    private static let prelude = """
        import os, random, socket, ssl, sys, threading
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[2])
        listener.listen(8)
        def read(s, count):
            got = b""
            while len(got) < count:
                piece = s.recv(count - len(got))
                if not piece: raise EOFError(len(got))
                got += piece
            return got
        def rest(s):
            got = b""
            try:
                while piece := s.recv(65536): got += piece
            except ConnectionResetError: pass
            return got

        """

    /// The sender's side and the receiver's, as two QEMUs have them.
    private static let pair = """
        def pair():
            here = socket.socket(socket.AF_UNIX)
            here.connect(sys.argv[1])
            there, _ = listener.accept()
            return here, there
        def send(here, there, data):
            thread = threading.Thread(target=here.sendall, args=(data,))
            thread.start()
            assert read(there, len(data)) == data
            thread.join()

        """

    /// Each piece is there before the next one is sent, and is answered; a side's end is the other's.
    private static let talk =
        pair + """
            pages = [os.urandom(4096) for i in range(20)] + [bytes(4096)] * 20
            sent = 0
            here, there = pair()
            for i in range(60):
                data = b"".join(random.choices(pages, k=random.choice([1, 2, 20, 100])))[:random.choice([1, 4095, 1 << 20])]
                send(here, there, data)
                sent += len(data)
                there.sendall(b"%d" % (i % 10))
                assert read(here, 1) == b"%d" % (i % 10)
            here.close()
            assert rest(there) == b""
            here, there = pair()
            send(here, there, b"x" * 1000)
            there.close()
            assert rest(here) == b""
            print(sent + 1000)
            """

    @Test func memoryIsCompressedWhereTheOtherSideKnowsHow() async throws {
        try await withScene { scene in
            let (printed, relay) = try await scene.run(Self.talk, coding: MemoryCoding.relay)
            let sent = try #require(UInt64(printed.dropLast()))
            #expect(relay.isCoded == true)
            #expect(relay.sentBytes > 0 && relay.sentBytes < sent, "\(relay.sentBytes) of \(sent)")
            // Who is told to end before it was told that all is there.
            #expect(scene.failures.all.allSatisfy { $0 == .truncated })
        }
    }

    /// An earlier version, and one that is like an older release, pass over the field.
    @Test func whoDoesNotKnowTheCodingGetsTheMemoryAsItIs() async throws {
        try await withScene(knowsCodings: false) { scene in
            let (printed, relay) = try await scene.run(Self.talk, coding: MemoryCoding.relay)
            #expect(relay.isCoded == false)
            #expect(String(relay.sentBytes) + "\n" == printed)
        }
    }

    @Test func whoDoesNotAskGetsTheMemoryAsItIs() async throws {
        try await withScene { scene in
            let (printed, relay) = try await scene.run(Self.talk, coding: nil)
            #expect(relay.isCoded == false)
            #expect(String(relay.sentBytes) + "\n" == printed)
        }
    }

    /// Of one stream: others go on, and nothing piles up.
    @Test func whatIsNotToComeEndsItsOwnStream() async throws {
        let script = """
            port, process = int(sys.argv[1]), sys.argv[3]
            def connect(path="/memory", coding="zstd"):
                s = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", port)))
                s.sendall(("CONNECT %s HTTP/1.1\\r\\nHost: h\\r\\nX-Gantry-Memory-Coding: %s\\r\\n\\r\\n" % (path, coding)).encode())
                there, _ = listener.accept()
                got = b""
                while not got.endswith(b"\\r\\n\\r\\n"): got += read(s, 1)
                return s, there, b"x-gantry-memory-coding: zstd" in got.lower()
            # What is not memory, or asked for by another word, is not decompressed.
            for path, coding in [("/disk", "zstd"), ("/memory", "lz4"), ("/memory", ""), ("/memory", "zstd, lz4")]:
                s, there, said = connect(path, coding)
                assert not said, (path, coding)
                s.sendall(b"as it is")
                assert read(there, 8) == b"as it is"
                s.close()
            head = bytes([0x28, 0xb5, 0x2f, 0xfd])
            good, good_there, said = connect()
            assert said
            good.sendall(head + bytes([0, 0x50]) + bytes([0x28, 0, 0]) + b"hello")
            assert read(good_there, 5) == b"hello"
            # No zstd, a window of 2 GiB, and more behind the end.
            for bad in [b"QEVM" + bytes(100), head + bytes([0, 21 << 3, 1, 0, 0]), head + bytes([0, 0x50, 1, 0, 0]) + b"more"]:
                s, there, said = connect()
                s.sendall(bad)
                assert rest(there) == b"" and rest(s) == b"", bad
            # A gibibyte of 32 KiB: it waits for who takes it.
            def resident():
                return int(open("/proc/%s/statm" % process).read().split()[1]) * 4096
            before = resident()
            s, there, said = connect()
            s.sendall(head + bytes([0, 0x50]) + bytes([2, 0, 0x10, 0x55]) * 8192)
            assert read(there, 1 << 20) == b"U" * (1 << 20)
            good.sendall(bytes([0x28, 0, 0]) + b"again")
            assert read(good_there, 5) == b"again"
            assert resident() - before < 200 << 20, (before, resident())
            there.close()
            assert rest(s) == b""
            # An end in order, and one that is none.
            good.sendall(bytes([1, 0, 0]))
            good.close()
            assert rest(good_there) == b""
            s, there, said = connect()
            s.sendall(head + bytes([0, 0x50]) + bytes([0x28, 0, 0]) + b"hello")
            assert read(there, 5) == b"hello"
            try: s.unwrap()
            except OSError: pass
            assert rest(there) == b""
            print("done")
            """
        try await withScene { scene in
            let printed = try await Clients.python(
                Self.prelude + script, [String(scene.port), scene.receiver, String(getpid())])
            #expect(printed == "done\n")
            try await reach("four streams have failed") { scene.failures.all.count >= 4 }
            #expect(scene.failures.all.prefix(3) == [.damaged, .windowTooLarge, .followed])
            #expect(scene.failures.all.last == .truncated)
        }
    }
}
