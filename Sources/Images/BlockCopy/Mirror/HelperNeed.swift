/// Whether another thread would copy while the first one sleeps. Two that copy from page cache to page cache wait for each other's
/// turn at the destination's file, and spin meanwhile: a tenth of all their time, which one thread does not need. It is a disk,
/// or a lock that guests hold, that makes another one worth it. A value.
struct HelperNeed {
    private static let window = 16
    /// Each of so many windows passes without: two threads make each other wait, too.
    private static let trial = 8

    private var pieces = 0
    private var waits = 0
    private var windows = 0
    private(set) var isThere = false

    /// A piece was copied; `hasSlept`: not at the processor's pace.
    mutating func moved(hasSlept: Bool) {
        pieces += 1
        if hasSlept { waits += 1 }
        if pieces < Self.window { return }
        windows += 1
        isThere = waits * 4 >= Self.window && windows % Self.trial != 0
        (pieces, waits) = (0, 0)
    }
}
