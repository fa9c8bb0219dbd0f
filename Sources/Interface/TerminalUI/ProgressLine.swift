/// The text of one progress line, from a reading and the time since the start. Pure, so that it can be tested.
struct ProgressLine {
    let label: String
    let reading: ProgressReading
    /// Bytes a second, if known.
    let rate: Double?
    /// Seconds to the end, if known.
    let secondsLeft: Double?

    /// The widest that the bar itself can be on `columns`, at most `limit`; below 8 there is none.
    func barWidth(columns: Int, limit: Int) -> Int {
        let facts = facts
        let fixed =
            label.count + (label.isEmpty ? 0 : 1) + 2 + 1 + percentText.count + (facts.isEmpty ? 0 : 2 + facts.count)
        return min(limit, columns - 1 - fixed)
    }

    /// `label [#####-----]  50%  1.00 GiB / 2.00 GiB  200 MiB/s  5 s left  copying`, shortened to `columns`.
    func text(columns: Int, barLimit: Int = 40, colour: Bool) -> String {
        let facts = facts
        let percent = percentText
        let width = barWidth(columns: columns, limit: barLimit)
        var parts: [String] = []
        if !label.isEmpty { parts.append(label) }
        if width >= 8 { parts.append(bar(width: width, colour: colour)) }
        parts.append(percent)
        let line = parts.joined(separator: " ") + (facts.isEmpty ? "" : "  " + facts)
        return width >= 8 ? line : String(line.prefix(max(0, columns - 1)))
    }

    /// The line for a log: no bar.
    var plainText: String {
        (label.isEmpty ? "" : label + ": ") + percentText.drop { $0 == " " } + (facts.isEmpty ? "" : "  " + facts)
    }

    private var percentText: String {
        // Only the end is 100 %.
        let percent = reading.fraction >= 1 ? 100 : min(99, Int(reading.fraction * 100))
        let digits = String(percent)
        return String(repeating: " ", count: 3 - digits.count) + digits + "%"
    }

    private var facts: String {
        var facts: [String] = []
        switch (reading.doneBytes, reading.totalBytes) {
        case (let done?, let total?): facts.append("\(SizeText.bytes(done)) / \(SizeText.bytes(total))")
        case (let done?, nil): facts.append(SizeText.bytes(done))
        default: break
        }
        if let rate, rate > 0 { facts.append(SizeText.rate(rate)) }
        if reading.fraction < 1, let secondsLeft { facts.append("\(SizeText.duration(seconds: secondsLeft)) left") }
        if !reading.phase.isEmpty { facts.append(reading.phase) }
        // While the bulk is on its way, what is dirty is not news.
        if let dirty = reading.dirtyBytes, dirty > 0, reading.doneBytes != nil, reading.doneBytes == reading.totalBytes
        {
            facts.append("(\(SizeText.bytes(dirty)) to follow)")
        }
        return facts.joined(separator: "  ")
    }

    private func bar(width: Int, colour: Bool) -> String {
        let filled = min(width, Int(Double(width) * reading.fraction))
        let done = String(repeating: "#", count: filled)
        let rest = String(repeating: "-", count: width - filled)
        return colour ? "[\u{1B}[32m\(done)\u{1B}[0m\(rest)]" : "[\(done)\(rest)]"
    }
}
