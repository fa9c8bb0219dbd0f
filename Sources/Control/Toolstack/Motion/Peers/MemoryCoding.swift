import DataModel
import XenAPIClient
import ZstdStreams

/// A guest's memory, compressed on its way to another toolstack: asked for in a field of `CONNECT …/memory`, and granted by
/// the same field in its answer. Whoever does not know it, an earlier version or another maker's, gets the memory as it is.
///
/// QEMU on both sides knows nothing of it: its own ways of compressing are of several connections, or gone.
public enum MemoryCoding {
    /// In lower case.
    public static let field = "x-gantry-memory-coding"
    public static let zstd = "zstd"
    /// Releases that this process may be like know nothing of it.
    public static var isKnown: Bool { Datamodel.isNewest }

    /// Nil: this side does not know it.
    static var relay: RelayCoding? {
        guard isKnown else { return nil }
        return RelayCoding(field: (name: field, value: zstd)) { try Encoder() }
    }

    private final class Encoder: RelayEncoder {
        private let stream: ZstdStreamEncoder

        init() throws { stream = try ZstdStreamEncoder() }

        // SAFETY (both): what is handed over is handed on for the same call.
        func encode(_ piece: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void) throws {
            try unsafe stream.encode(piece, take)
        }

        func finish(_ take: (UnsafeRawBufferPointer) -> Void) throws { try unsafe stream.finish(take) }
    }
}
