import NIOCore
import Testing

@testable import XenAPIClient

/// How an upload ends when the server closes as it has the last byte.
@Suite struct UploadEndTests {
    /// A body that has given all its bytes and does not come to say so.
    private struct Unended: AsyncSequence, Sendable {
        let piece: ByteBuffer
        let end: AsyncStream<Void>

        func makeAsyncIterator() -> Iterator { Iterator(piece: piece, end: end) }

        struct Iterator: AsyncIteratorProtocol {
            var piece: ByteBuffer?
            let end: AsyncStream<Void>

            mutating func next() async throws -> ByteBuffer? {
                if let piece {
                    self.piece = nil
                    return piece
                }
                for await _ in end {}
                return nil
            }
        }
    }

    private func upload(answeredBy head: String) async throws -> String? {
        let peer = try await FakePeer { _, _ in .raw(Array((head + "\r\n\r\n").utf8)) }
        let transport = HTTPTransport(peer.address, certificates: .system, options: XenAPISession.Options())
        let (end, ending) = AsyncStream.makeStream(of: Void.self)
        let outcome: Result<String?, any Error>
        do {
            let body = Unended(piece: ByteBuffer(bytes: [1, 2, 3]), end: end)
            outcome = .success(
                try await transport.put("/import_raw_vdi", query: [], length: 3, body: body).taskReference)
        } catch {
            outcome = .failure(error)
        }
        ending.finish()
        await transport.close()
        #expect(peer.requests.map(\.body) == [[1, 2, 3]])
        await peer.stop()
        return try outcome.get()
    }

    /// The client need not have seen that its body is over.
    @Test func anAnswerThatEndsWithItsConnectionIsWhole() async throws {
        let task = try await upload(answeredBy: "HTTP/1.1 200 OK\r\nConnection: close\r\ntask-id: OpaqueRef:t")
        #expect(task == "OpaqueRef:t")
    }

    @Test(arguments: ["Content-Length: 5", "Transfer-Encoding: chunked"])
    func anAnswerThatIsCutOffIsLost(_ length: String) async throws {
        do {
            _ = try await upload(answeredBy: "HTTP/1.1 200 OK\r\n\(length)")
            Issue.record("an answer with \(length) was taken for whole")
        } catch let error as ConnectionError {
            guard case .lost = error else { throw error }
        }
    }
}
