/// Whether who needs all guests to stand still goes on waiting for those who are under way, asked each time that the mirror's patience
/// is over. A guest that hangs in the destination is not waited for, as all others would wait, too; a flush may take its time,
/// and what is slow in the source is slow for its guests anyway. A value.
struct GateWait {
    /// Times, as a guest waits for a flush (`MirrorDevice.flush`).
    private static let flushes = 6

    private var flushed = 0

    /// `writesHang`, `flushesHang`: some of those who were in the destination when this was asked last, or at the beginning, are in it still.
    mutating func goesOn(writesHang: Bool, flushesHang: Bool) -> Bool {
        flushed = flushesHang ? flushed + 1 : 0
        return !writesHang && flushed < Self.flushes
    }
}
