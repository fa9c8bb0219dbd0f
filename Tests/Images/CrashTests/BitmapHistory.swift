/// What a bitmap may say after a crash: that it is of no more use, or every sector that differs from what the disk held
/// when the bitmap was made or cleared.
struct BitmapHistory {
    /// What the disk held when the bitmap began to note changes.
    private struct Beginning {
        var firstEvent: Int
        /// Events when it was done.
        var event: Int
        var numbers: [UInt64]
    }

    private struct Past {
        var beginnings: [Beginning] = []
        /// Events when the bitmap began to be deleted, and when that was done.
        var deletion: (first: Int, done: Int)?
    }

    private var pasts: [String: Past] = [:]
    /// A sector that had changed already when the history began.
    private static let changed = UInt64.max - 1

    init() {}

    init(_ state: DiskHistory.State) {
        for (name, claim) in state.bitmaps {
            var past = Past()
            if case .changed(let ranges) = claim {
                var numbers = state.numbers
                for range in ranges {
                    for sector in range.clamped(to: numbers.indices) { numbers[sector] = Self.changed }
                }
                past.beginnings.append(Beginning(firstEvent: -1, event: 0, numbers: numbers))
            }
            pasts[name] = past
        }
    }

    /// Bitmaps that are there now.
    var names: [String] { pasts.filter { $0.value.deletion == nil }.keys.sorted() }

    /// Bitmaps that must be of use after the image was closed in order.
    var usable: [String] { names.filter { pasts[$0]?.beginnings.isEmpty == false } }

    /// A bitmap was made or cleared, between two numbers of events, while the disk held `numbers`.
    mutating func began(_ name: String, _ numbers: [UInt64], first: Int, done: Int) {
        pasts[name, default: Past()].beginnings.append(Beginning(firstEvent: first, event: done, numbers: numbers))
    }

    mutating func deleted(_ name: String, first: Int, done: Int) { pasts[name]?.deletion = (first, done) }

    /// The disk got another size: what is cut off is no more, what is new is zeroes.
    mutating func resized(to count: Int, first: Int, done: Int) {
        for name in Array(pasts.keys) {
            guard var numbers = pasts[name]?.beginnings.last?.numbers else { continue }
            numbers.removeLast(max(0, numbers.count - count))
            numbers += repeatElement(0, count: count - numbers.count)
            began(name, numbers, first: first, done: done)
        }
    }

    /// What is wrong with the bitmaps found after a crash before event `cut`.
    func contradiction(_ found: DiskHistory.State, cut: Int) -> String? {
        for (name, past) in pasts where found.bitmaps[name] == nil {
            let wasThere = past.beginnings.isEmpty || past.beginnings.contains { $0.event <= cut }
            if wasThere, past.deletion.map({ $0.first >= cut }) ?? true { return "the bitmap \(name) is gone" }
        }
        for (name, claim) in found.bitmaps {
            guard let past = pasts[name] else { return "a bitmap \(name) appeared" }
            if let deletion = past.deletion, deletion.done <= cut { return "the bitmap \(name) is back" }
            guard case .changed(let ranges) = claim else { continue }
            let last = past.beginnings.lastIndex { $0.event <= cut } ?? past.beginnings.startIndex
            let possible = past.beginnings[last...].filter { $0.firstEvent < cut }
            if possible.isEmpty { return "the bitmap \(name) is of use again" }
            var isNoted = [Bool](repeating: false, count: found.numbers.count)
            for range in ranges { for sector in range.clamped(to: isNoted.indices) { isNoted[sector] = true } }
            let isRight = possible.contains { beginning in
                found.numbers.indices.allSatisfy { sector in
                    let old = sector < beginning.numbers.count ? beginning.numbers[sector] : 0
                    return isNoted[sector] || found.numbers[sector] == old
                }
            }
            if !isRight { return "the bitmap \(name) misses changes and does not say so" }
        }
        return nil
    }
}
