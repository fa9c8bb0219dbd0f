import NIOCore
import Synchronization

/// The body of a request on its way from the connection to the one who reads it. Holds no more than a bounded amount:
/// the connection is not read while the pipe is full.
final class BodyPipe: Sendable {
    private struct State: Sendable {
        var pieces = CircularBuffer<ByteBuffer>()
        var size = 0
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
        var isFull = false
    }

    private let state = Mutex(State())
    private let capacity: Int
    /// Called, on any thread, when there is room again.
    private let onRoom: @Sendable () -> Void

    init(capacity: Int, onRoom: @escaping @Sendable () -> Void) {
        self.capacity = capacity
        self.onRoom = onRoom
    }

    /// False: full; `onRoom` will be called.
    func push(_ piece: ByteBuffer) -> Bool {
        let (reader, hasRoom) = state.withLock { state -> (CheckedContinuation<ByteBuffer?, any Error>?, Bool) in
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            state.pieces.append(piece)
            state.size += piece.readableBytes
            state.isFull = state.size >= capacity
            return (nil, !state.isFull)
        }
        reader?.resume(returning: piece)
        return hasRoom
    }

    var isFull: Bool { state.withLock { $0.isFull } }

    /// The body is complete, or broken by `error`. Only the first end counts.
    func finish(_ error: (any Error)? = nil) {
        let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = error.map { .failure($0) } ?? .success(())
            defer { state.reader = nil }
            return state.reader
        }
        if let error { reader?.resume(throwing: error) } else { reader?.resume(returning: nil) }
    }

    /// The next piece; nil at the end. One reader at a time.
    func next() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reader in
                let (outcome, hasRoom) = state.withLock { state -> (Result<ByteBuffer?, any Error>?, Bool) in
                    if let piece = state.pieces.popFirst() {
                        state.size -= piece.readableBytes
                        let hasRoom = state.isFull && state.size < capacity / 2
                        if hasRoom { state.isFull = false }
                        return (.success(piece), hasRoom)
                    }
                    if let end = state.end { return (end.map { nil }, false) }
                    precondition(state.reader == nil, "a body is read by one task at a time")
                    state.reader = reader
                    return (nil, false)
                }
                if let outcome { reader.resume(with: outcome) }
                if hasRoom { onRoom() }
            }
        } onCancel: {
            finish(CancellationError())
        }
    }
}

/// The body of a request, piece by piece. Throws when the connection breaks or stalls before its end.
struct RequestBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Nil: there is none.
    let pipe: BodyPipe?

    struct AsyncIterator: AsyncIteratorProtocol {
        let pipe: BodyPipe?

        func next() async throws -> ByteBuffer? { try await pipe?.next() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pipe: pipe) }
}
