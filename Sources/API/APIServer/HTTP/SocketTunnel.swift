import HTTPTypes
import NIOCore
import NIOPosix
import ZstdStreams

/// Passes bytes between a granted tunnel and a connected socket of this machine, until either side ends, in order or not:
/// that ends the other.
struct SocketTunnel {
    private let descriptor: Int32
    private let decompresses: Bool
    private let greeting: [UInt8]
    private let prefix: [UInt8]

    /// Owns the descriptor; to be served. `decompresses`: what comes through the tunnel is zstd. `greeting`: what goes through it
    /// before anything of the socket. `prefix`: what may come through it first, all or nothing of it, and is left out.
    init(_ descriptor: Int32, decompresses: Bool = false, greeting: [UInt8] = [], without prefix: [UInt8] = []) {
        (self.descriptor, self.decompresses, self.greeting, self.prefix) = (descriptor, decompresses, greeting, prefix)
    }

    /// Throws `ZstdStreamError`, too, when what came was not what was to come: both sides have ended then.
    func serve(_ input: RequestBody, _ writer: ResponseWriter, _ answer: HTTPResponse) async throws {
        let socket = try await Self.adopt(descriptor)
        // The answer begins inside: a client that is gone already must not leave the socket unclosed.
        let (decompresses, greeting, prefix) = (decompresses, greeting, prefix)
        let failure = try await socket.executeThenClose { fromSocket, toSocket in
            var body = try await writer.writeHead(answer)
            if !greeting.isEmpty { try await body.write(ByteBuffer(bytes: greeting)) }
            let output = body
            let failure = await withTaskGroup(of: ZstdStreamError?.self) { group in
                group.addTask {
                    do {
                        try await decompresses
                            ? Self.decompress(input, toSocket) : Self.move(input, without: prefix, toSocket)
                    } catch { return error as? ZstdStreamError }
                    return nil
                }
                group.addTask {
                    try? await Self.move(fromSocket, output)
                    return nil
                }
                let first = await group.next() ?? nil
                group.cancelAll()
                return first
            }
            try? await body.finish()
            return failure
        }
        if let failure { throw failure }
    }

    /// Content that is made at once, bytes; more when it has been taken.
    private static let portion = 128 << 10

    private static func decompress(
        _ input: RequestBody, _ socket: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        let decoder = try ZstdStreamDecoder()
        for try await piece in input {
            var piece = piece
            var isFull = false
            repeat {
                var content = ByteBuffer()
                // SAFETY: both pieces of memory live for the call.
                let made = try unsafe content.writeWithUnsafeMutableBytes(minimumWritableBytes: portion) { output in
                    try unsafe piece.readWithUnsafeReadableBytes { bytes in
                        let step = try unsafe decoder.decode(bytes, into: output)
                        isFull = step.produced == output.count
                        return (step.consumed, step.produced)
                    }
                }
                if made > 0 { try await socket.write(content) }
            } while piece.readableBytes > 0 || isFull
        }
        try decoder.finish()
    }

    private static func move(
        _ input: RequestBody, without prefix: [UInt8], _ socket: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        var first = ByteBuffer()
        var isFirst = !prefix.isEmpty
        for try await piece in input {
            guard isFirst else {
                try await socket.write(piece)
                continue
            }
            first.writeImmutableBuffer(piece)
            // It is not decided as long as what has come could be the beginning of it.
            if first.readableBytes < prefix.count, prefix.starts(with: first.readableBytesView) { continue }
            isFirst = false
            if first.readableBytesView.starts(with: prefix) { first.moveReaderIndex(forwardBy: prefix.count) }
            if first.readableBytes > 0 { try await socket.write(first) }
        }
    }

    private static func move(
        _ socket: NIOAsyncChannelInboundStream<ByteBuffer>, _ output: ResponseBodyWriter
    ) async throws {
        var output = output
        for try await piece in socket { try await output.write(piece) }
    }

    /// Takes the connected socket over, in any outcome.
    private static func adopt(_ descriptor: Int32) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .withConnectedSocket(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }
}
