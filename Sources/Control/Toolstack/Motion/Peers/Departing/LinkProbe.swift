/// How fast the way to another pool is, from the time that pieces of growing size take. A value; whoever sends says how long each took.
/// At most `sizes` together are sent.
struct LinkProbe: Sendable {
    /// The first makes the connection, the second tells what a round trip takes.
    static let sizes = [0, 0, 16 << 10, 128 << 10, 1 << 20, 2 << 20]
    /// For all together.
    static let patience = Duration.seconds(2)
    /// A piece that takes as long on its way tells enough.
    private static let enough = Duration.milliseconds(50)

    private var index = 0
    private var roundTrip = Duration.zero
    private(set) var bytesPerSecond: UInt64?

    /// Bytes of the next piece; nil when enough is known.
    var piece: Int? { index < Self.sizes.count ? Self.sizes[index] : nil }

    /// The next piece was sent and answered in this time.
    mutating func took(_ time: Duration) {
        guard let size = piece else { return }
        index += 1
        guard size > 0 else {
            roundTrip = time
            return
        }
        // A round trip that took longer than the piece's own share is no reason to believe in any speed.
        let way = max(time - roundTrip, time / 10)
        bytesPerSecond = UInt64(min(1e15, Double(size) / max(way / Duration.seconds(1), 1e-9)))
        if way >= Self.enough { index = Self.sizes.count }
    }
}

extension PeerLink {
    /// Bytes per second that the other side takes now, over TLS and by the server that the disks go to; nil where it does not say or is too
    /// slow to tell. Takes `LinkProbe.patience` at most. `session`: one at the other side.
    func measure(session: String) async -> UInt64? {
        var probe = LinkProbe()
        let deadline = ContinuousClock.now + LinkProbe.patience
        while let size = probe.piece {
            let start = ContinuousClock.now
            guard start < deadline,
                let standing: MoveStanding = try? await send(
                    "probe", [UInt8](repeating: 0, count: size), session: session, limit: deadline - start),
                standing.answer == String(size)
            else { break }
            probe.took(ContinuousClock.now - start)
        }
        return probe.bytesPerSecond
    }
}
