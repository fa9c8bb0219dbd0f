import Glibc

/// What a disk may hold after a crash: the state at the last checkpoint, changed or not by each later step.
///
/// Every sector of 512 bytes holds one number, repeated: 0 where nothing was written, and a new one for each write.
struct DiskHistory {
    struct State {
        var numbers: [UInt64]
        var snapshots: [String: [UInt64]] = [:]
        var bitmaps: [String: BitmapClaim] = [:]
    }

    /// What a bitmap says of itself.
    enum BitmapClaim {
        /// It missed changes.
        case useless
        /// Sectors that may have changed.
        case changed([Range<Int>])
    }

    enum Effect {
        case sectors(Range<Int>, UInt64)
        /// The whole disk, as when a snapshot is applied.
        case disk([UInt64])
        /// The size in sectors; what is new reads as zeroes.
        case size(Int)
        case snapshotMade(String, [UInt64])
        case snapshotDeleted(String)
    }

    struct Step {
        /// Events of the log before the step began.
        var firstEvent: Int
        var effect: Effect
    }

    private struct Checkpoint {
        /// Events of the log when it was known to be durable.
        var event: Int
        var steps: Int
        var state: State
    }

    private(set) var current: State
    /// The first sector of what a smaller size cuts off may hold anything until that is durable. So in a fixed VHD, whose
    /// only footer goes there while the old one still counts.
    var cutsIntoOldBytes = false
    var bitmaps: BitmapHistory
    private var steps: [Step] = []
    private var checkpoints: [Checkpoint] = []

    init(_ state: State) {
        current = state
        bitmaps = BitmapHistory(state)
        checkpoints = [Checkpoint(event: 0, steps: 0, state: state)]
    }

    /// Notes a step that is about to start.
    mutating func begin(_ effect: Effect, events: Int) {
        steps.append(Step(firstEvent: events, effect: effect))
    }

    /// Notes that a step has done what it was to do.
    mutating func complete(_ effect: Effect) {
        switch effect {
        case .sectors(let range, let number): for sector in range { current.numbers[sector] = number }
        case .disk(let numbers): current.numbers = numbers
        case .size(let count):
            let now = current.numbers.count
            if count < now { current.numbers.removeLast(now - count) }
            if count > now { current.numbers += repeatElement(0, count: count - now) }
        case .snapshotMade(let name, let numbers): current.snapshots[name] = numbers
        case .snapshotDeleted(let name): current.snapshots[name] = nil
        }
    }

    /// For steps with a choice (discard): what the disk now holds.
    mutating func observe(_ numbers: [UInt64], at first: Int) {
        for (index, number) in numbers.enumerated() { current.numbers[first + index] = number }
    }

    /// All completed steps are durable from here on.
    mutating func checkpoint(events: Int) {
        checkpoints.append(Checkpoint(event: events, steps: steps.count, state: current))
    }

    /// The first contradiction between what was found after a crash before event `cut` and what was durable then.
    func contradiction(_ found: State, cut: Int) -> String? {
        guard let base = checkpoints.last(where: { $0.event <= cut }) else { return "no checkpoint" }
        let later = Array(steps[base.steps...].filter { $0.firstEvent < cut })
        if let text = sizeContradiction(found.numbers.count, base.state, later) { return text }
        // Pieces that did not change are skipped as a whole.
        for first in stride(from: 0, to: found.numbers.count, by: 64) {
            let piece = first..<min(first + 64, found.numbers.count)
            let isOld =
                piece.upperBound <= base.state.numbers.count && found.numbers[piece] == base.state.numbers[piece]
            if isOld { continue }
            if let text = pieceContradiction(piece, found, base.state, later) { return text }
        }
        return snapshotContradiction(found, base.state, later) ?? bitmaps.contradiction(found, cut: cut)
    }

    private func pieceContradiction(
        _ piece: Range<Int>, _ found: State, _ base: State, _ later: [Step]
    ) -> String? {
        let later = later.filter {
            if case .sectors(let range, _) = $0.effect { range.overlaps(piece) } else { true }
        }
        for sector in piece {
            let number = found.numbers[sector]
            let old = sector < base.numbers.count ? base.numbers[sector] : 0
            if number == old { continue }
            let isKnown = later.contains { step in
                switch step.effect {
                case .sectors(let range, let value): range.contains(sector) && value == number
                case .disk(let numbers): sector < numbers.count && numbers[sector] == number
                case .size(let count):
                    (number == 0 && sector >= count)
                        || (cutsIntoOldBytes && sector == count && count < base.numbers.count)
                default: false
                }
            }
            if !isKnown {
                return "sector \(sector) holds \(shown(number)); \(shown(old)) was durable"
            }
        }
        return nil
    }

    private func sizeContradiction(_ count: Int, _ base: State, _ later: [Step]) -> String? {
        if count == base.numbers.count { return nil }
        let isKnown = later.contains {
            switch $0.effect {
            case .size(let size): size == count
            case .disk(let numbers): numbers.count == count
            default: false
            }
        }
        return isKnown ? nil : "the disk has \(count) sectors; \(base.numbers.count) were durable"
    }

    private func snapshotContradiction(_ found: State, _ base: State, _ later: [Step]) -> String? {
        var made: [String: [UInt64]] = [:]
        var deleted: Set<String> = []
        for step in later {
            switch step.effect {
            case .snapshotMade(let name, let numbers): made[name] = numbers
            case .snapshotDeleted(let name): deleted.insert(name)
            default: break
            }
        }
        for name in base.snapshots.keys where found.snapshots[name] == nil && !deleted.contains(name) {
            return "the snapshot \(name) is gone"
        }
        for (name, numbers) in found.snapshots {
            guard let known = base.snapshots[name] ?? made[name] else { return "a snapshot \(name) appeared" }
            if let sector = known.indices.first(where: { $0 >= numbers.count || numbers[$0] != known[$0] }) {
                return "sector \(sector) of the snapshot \(name) changed"
            }
        }
        return nil
    }

    private func shown(_ number: UInt64) -> String { number == DiskHistory.torn ? "a mixture" : String(number) }

    // MARK: Sectors

    /// A sector that holds more than one number.
    static let torn = UInt64.max

    /// The numbers of the sectors in bytes.
    static func numbers(_ bytes: UnsafeRawBufferPointer) -> [UInt64] {
        var all: [UInt64] = []
        all.reserveCapacity(bytes.count / 512)
        unsafe append(bytes, to: &all)
        return all
    }

    /// By halves, as long runs are of one number.
    private static func append(_ bytes: UnsafeRawBufferPointer, to all: inout [UInt64]) {
        guard let base = bytes.baseAddress, bytes.count >= 512 else { return }
        // SAFETY: every access is inside the bytes.
        if unsafe memcmp(base, base + 8, bytes.count - 8) == 0 {
            all.append(contentsOf: repeatElement(unsafe base.loadUnaligned(as: UInt64.self), count: bytes.count / 512))
        } else if bytes.count == 512 {
            all.append(torn)
        } else {
            let half = bytes.count / 1024 * 512
            unsafe append(UnsafeRawBufferPointer(rebasing: bytes[..<half]), to: &all)
            unsafe append(UnsafeRawBufferPointer(rebasing: bytes[half...]), to: &all)
        }
    }
}
