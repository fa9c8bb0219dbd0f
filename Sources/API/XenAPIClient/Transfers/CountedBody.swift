import NIOCore
import Synchronization

/// The body of a request, which tells how much of it was taken to be sent.
struct CountedBody<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable where Base.Element == ByteBuffer {
    typealias Element = ByteBuffer

    let base: Base
    private let taken = Taken()

    init(base: Base) { self.base = base }

    var bytes: UInt64 { taken.bytes.load(ordering: .acquiring) }

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), taken: taken) }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        fileprivate let taken: Taken

        mutating func next() async throws -> ByteBuffer? {
            let piece = try await base.next()
            if let piece { taken.bytes.wrappingAdd(UInt64(piece.readableBytes), ordering: .releasing) }
            return piece
        }
    }

    fileprivate final class Taken: Sendable {
        let bytes = Atomic<UInt64>(0)
    }
}
