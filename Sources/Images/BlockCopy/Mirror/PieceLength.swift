/// How long the pieces are that are copied over a link: one that is slow takes so little at a time that a guest's write, which
/// comes behind the pieces that are under way, is not held up by them for longer than it may be. A value.
struct PieceLength {
    private static let slow: UInt64 = 100_000_000
    private static let quick: UInt64 = 25_000_000

    private let most: UInt64
    private let least: UInt64
    /// The most of the next piece: `most`, halved as often as is wanted.
    private(set) var bytes: UInt64

    init(most: UInt64, least: UInt64) {
        (self.most, self.least) = (most, min(most, least))
        bytes = most
    }

    /// A piece of `count` bytes took so many nanoseconds. A longer one than there are now is no news.
    mutating func moved(_ count: UInt64, in nanoseconds: UInt64) {
        if nanoseconds > Self.slow {
            if count <= bytes, count > bytes / 2 { bytes = max(least, bytes / 2) }
        } else if nanoseconds < Self.quick, count >= bytes {
            bytes = min(most, bytes * 2)
        }
    }
}
