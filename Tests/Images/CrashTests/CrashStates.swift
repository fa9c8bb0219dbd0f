import TestSupport

/// What a crash can leave of a file: everything up to the last barrier, and of what came after it whatever the disk had
/// taken: all, nothing, some writes, single sectors of 512 bytes of them. The length follows its own order: a file
/// system keeps changes of length in a journal, so a prefix of them survives, and nothing lies behind a cut that was lost.
enum CrashStates {
    enum Style: CaseIterable, CustomStringConvertible {
        /// The program was killed: the kernel has everything.
        case everything
        case nothing
        case someWrites
        case tornWrites
        case oneWrite
        case allButOneWrite
        case tornLastWrite

        var description: String {
            switch self {
            case .everything: "everything before was kept"
            case .nothing: "nothing since the barrier was kept"
            case .someWrites: "some writes since the barrier were kept"
            case .tornWrites: "some sectors since the barrier were kept"
            case .oneWrite: "one write since the barrier was kept"
            case .allButOneWrite: "one write since the barrier was lost"
            case .tornLastWrite: "the last write was torn"
            }
        }
    }

    /// The content of a file after a crash just before its event `cut`. A write past the end that was lost may have left
    /// the file longer all the same: file systems with a journal put the data first, others do not.
    static func state(
        _ log: RecordingStore.Log, cut: Int, style: Style, _ random: inout SeededRandom
    ) -> PagedBytes {
        let barrier = log.barriers.last { $0.event < cut }
        var content = barrier?.content ?? log.start
        let first = barrier.map { $0.event + 1 } ?? 0
        let pending = log.events[first..<cut]
        if style == .nothing { return content }

        let isOne = style == .oneWrite || style == .allButOneWrite
        let chosen = isOne ? pending.indices.randomElement(using: &random) : nil
        var lengthsKept = Int.max
        if style != .everything {
            let lengths = pending.count { if case .truncate = $0 { true } else { false } }
            lengthsKept = Bool.random(using: &random) ? lengths : Int.random(in: 0...lengths, using: &random)
        }
        // Nothing that was written behind a lost cut survives.
        var lostCut = Int.max
        for (index, event) in zip(pending.indices, pending) {
            let keeps: Bool
            var isTorn = false
            switch style {
            case .everything: keeps = true
            case .nothing: keeps = false
            case .someWrites: keeps = Bool.random(using: &random)
            case .tornWrites: (keeps, isTorn) = (true, true)
            case .oneWrite: keeps = index == chosen
            case .allButOneWrite: keeps = index != chosen
            case .tornLastWrite: (keeps, isTorn) = (true, index == pending.endIndex - 1)
            }
            switch event {
            case .sync: break
            case .truncate(let length):
                if lengthsKept > 0 {
                    lengthsKept -= 1
                    content.resize(to: length)
                } else if length < content.count {
                    lostCut = min(lostCut, length)
                }
            case .write(let offset, let bytes):
                let end = offset + bytes.count
                if end > lostCut { continue }
                if keeps && !isTorn {
                    unsafe bytes.withUnsafeBytes { unsafe content.write($0, at: offset) }
                } else if isTorn {
                    sectors(offset..<end, &random) { part in
                        unsafe bytes.withUnsafeBytes {
                            unsafe content.write(
                                UnsafeRawBufferPointer(
                                    rebasing: $0[part.lowerBound - offset..<part.upperBound - offset]),
                                at: part.lowerBound)
                        }
                    }
                } else if end > content.count, Bool.random(using: &random) {
                    // The file had grown, and the data had not come.
                    content.resize(to: end)
                }
            case .zero(let range):
                if keeps && !isTorn {
                    content.zero(range)
                } else if isTorn {
                    sectors(range, &random) { content.zero($0) }
                }
            }
        }
        return content
    }

    /// Calls `body` with a random half of the file's sectors in a range.
    private static func sectors(_ range: Range<Int>, _ random: inout SeededRandom, _ body: (Range<Int>) -> Void) {
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min((position / 512 + 1) * 512, range.upperBound)
            if Bool.random(using: &random) { body(position..<end) }
            position = end
        }
    }
}
