import BlockIO
import CLinux
import Glibc
import NBDProtocol
import TestSupport

/// A server that shakes hands as it should, and then answers each request with whatever bytes a test wants.
final class FakeServer {
    static let size: UInt64 = 1 << 20

    let folder: ScratchFolder
    var path: String { folder.file("s") }
    private let thread: WorkerThread
    private let listener: Int32

    /// `answer`: bytes for a request and whether the connection goes on; it may send pieces itself by the function it is given.
    init(
        minimumBlock: UInt32 = 1,
        _ answer: @escaping @Sendable (NBDRequest, (_ bytes: [UInt8]) -> Bool) -> Void
    ) throws {
        folder = try ScratchFolder("fake")
        let listener = unsafe gantry_unix_listen(folder.file("s"), 4)
        guard listener >= 0 else { throw BlockError(call: "listen", errno: -listener) }
        self.listener = listener
        thread = WorkerThread("fake") {
            while case let socket = gantry_accept(listener), socket >= 0 {
                Self.serve(socket, minimumBlock, answer)
                close(socket)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.join()
        close(listener)
    }

    private static func send(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        // SAFETY: the array's own storage.
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                let sent = unsafe gantry_send(socket, base + done, buffer.count - done)
                if sent <= 0 { return false }
                done += Int(sent)
            }
            return true
        }
    }

    private static func receive(_ socket: Int32, _ limit: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            // SAFETY: the new array's own storage.
            count = max(0, Int(unsafe gantry_receive(socket, buffer.baseAddress, limit)))
        }
    }

    private static func serve(
        _ socket: Int32, _ minimumBlock: UInt32, _ answer: (NBDRequest, ([UInt8]) -> Bool) -> Void
    ) {
        let export = ExportDescription(
            name: "", size: size, flags: [.hasFlags, .flush, .trim, .writeZeroes, .forceUnitAccess],
            minimumBlock: minimumBlock)
        var handshake = ServerHandshake(exports: [export])
        guard send(socket, handshake.greeting) else { return }
        var input: [UInt8] = []
        var isTransmitting = false
        while case let bytes = receive(socket, 4096), !bytes.isEmpty {
            if !isTransmitting {
                for effect in handshake.receive(bytes) {
                    switch effect {
                    case .send(let words): if !send(socket, words) { return }
                    case .transmit:
                        isTransmitting = true
                        input = handshake.unconsumed
                    case .close, .startTLS, .lookUp: return
                    }
                }
            } else {
                input += bytes
            }
            while input.count >= NBDRequest.size {
                // SAFETY: 28 bytes are there.
                let request = unsafe input.withUnsafeBytes { buffer in
                    unsafe buffer.baseAddress.flatMap { unsafe NBDRequest(from: $0) }
                }
                guard let request, request.command != NBDCommand.disconnect else { return }
                let payload = request.command == NBDCommand.write ? Int(request.length) : 0
                if input.count < NBDRequest.size + payload { break }
                input.removeFirst(NBDRequest.size + payload)
                answer(request) { send(socket, $0) }
            }
        }
    }

    // MARK: Words

    static func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBig(value)
        return bytes
    }

    static func chunk(
        _ handle: UInt64, _ type: UInt16, _ data: [UInt8] = [], isLast: Bool = true, length: UInt32? = nil
    ) -> [UInt8] {
        number(NBDMagic.structuredReply) + number(isLast ? 1 : 0 as UInt16) + number(type) + number(handle)
            + number(length ?? UInt32(data.count)) + data
    }

    static func simple(_ handle: UInt64, error: UInt32 = 0) -> [UInt8] {
        number(NBDMagic.simpleReply) + number(error) + number(handle)
    }

    static func data(_ request: NBDRequest, at offset: UInt64, _ count: Int, isLast: Bool = false) -> [UInt8] {
        chunk(
            request.handle, ChunkType.offsetData, number(offset) + [UInt8](repeating: 7, count: count), isLast: isLast)
    }

    static func hole(_ request: NBDRequest, at offset: UInt64, _ count: UInt32, isLast: Bool = false) -> [UInt8] {
        chunk(request.handle, ChunkType.offsetHole, number(offset) + number(count), isLast: isLast)
    }

    static func status(
        _ request: NBDRequest, _ extents: [(UInt32, UInt32)], context: UInt32 = MetaContext.allocationIdentifier,
        isLast: Bool = true
    ) -> [UInt8] {
        chunk(
            request.handle, ChunkType.blockStatus,
            number(context) + extents.flatMap { number($0.0) + number($0.1) }, isLast: isLast)
    }

    static func failure(_ request: NBDRequest, text: Int, claimed: UInt16? = nil, isLast: Bool = true) -> [UInt8] {
        chunk(
            request.handle, ChunkType.error,
            number(NBDErrno.io) + number(claimed ?? UInt16(text)) + [UInt8](repeating: 0x61, count: text),
            isLast: isLast)
    }
}
