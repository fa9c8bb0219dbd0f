/// How fast a guest's memory goes, and how long it may take yet, from what QEMU says of it time and again. A value.
struct MemoryPace {
    private var last: (time: ContinuousClock.Instant, sent: UInt64)?
    private(set) var bytesPerSecond: UInt64?

    /// What no link can do, and a number that fits.
    private static let most = 1e18

    /// `sent`: bytes that QEMU has sent since it began. One that begins anew counts anew.
    mutating func look(sent: UInt64, at now: ContinuousClock.Instant = .now) {
        guard let last, sent >= last.sent else {
            (self.last, bytesPerSecond) = ((now, sent), nil)
            return
        }
        let elapsed = (now - last.time) / Duration.seconds(1)
        if elapsed < 0.5 { return }
        bytesPerSecond = UInt64(min(Double(sent - last.sent) / elapsed, Self.most))
        self.last = (now, sent)
    }

    /// Seconds that `remaining` bytes take while the guest changes `dirtied` bytes a second, which go again; nil: as far as is known it does
    /// not come to an end.
    func secondsLeft(_ remaining: UInt64, dirtied: UInt64) -> UInt64? {
        if remaining == 0 { return 0 }
        guard let bytesPerSecond, bytesPerSecond > dirtied else { return nil }
        return remaining / (bytesPerSecond - dirtied)
    }

    /// The task's `other_config`.
    func notes(remaining: UInt64, dirtied: UInt64) -> [String: String] {
        [
            "bytes_per_second": bytesPerSecond.map { String($0) } ?? "0",
            "seconds_left": secondsLeft(remaining, dirtied: dirtied).map { String($0) } ?? "",
        ]
    }
}
