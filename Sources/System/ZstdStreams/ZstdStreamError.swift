/// Why a stream is not compressed, or not taken.
public struct ZstdStreamError: Error, Hashable, Sendable, CustomStringConvertible {
    /// New codes may be added: compare, never switch exhaustively.
    public struct Code: Hashable, Sendable {
        public let name: String
        private init(_ name: String) { self.name = name }

        /// Not zstd, or content that no encoder writes.
        public static let damaged = Code("damaged")
        /// The stream asks for more memory than it is given.
        public static let windowTooLarge = Code("windowTooLarge")
        /// It ends before its content is complete.
        public static let truncated = Code("truncated")
        /// Something comes behind its end.
        public static let followed = Code("followed")
        /// The library found no memory.
        public static let outOfMemory = Code("outOfMemory")
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    public var description: String { message }

    static let noMemory = ZstdStreamError(.outOfMemory, "there is no memory for a zstd stream")
}
