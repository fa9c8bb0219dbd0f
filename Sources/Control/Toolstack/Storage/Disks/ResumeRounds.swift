/// Rounds over the data paths that nobody holds paused any more. One at a time, beside whoever begins them; one that has
/// taken long is waiting for a storage driver that hangs, and holds its disk meanwhile: the next passes over that disk.
actor ResumeRounds {
    /// Each waits for a disk of its own: more of them would be none the wiser.
    private static let most = 16

    private let patience: Duration
    private var underway: [Int: ContinuousClock.Instant] = [:]
    private var last = 0

    init(patience: Duration = .seconds(10)) { self.patience = patience }

    /// Whether a round was begun.
    @discardableResult
    func begin(_ round: @escaping @Sendable () async -> Void) -> Bool {
        let now = ContinuousClock.now
        guard underway.count < Self.most, underway.values.allSatisfy({ now - $0 >= patience }) else { return false }
        last += 1
        let number = last
        underway[number] = now
        Task {
            await round()
            underway[number] = nil
        }
        return true
    }
}
