import BlockCopy
import BlockIO
import TerminalUI

/// What a person is told of a copy that lacks something.
enum SalvageText {
    /// Ranges that are told one by one.
    private static let most = 64

    /// Lines on standard error: how much, why, and where.
    static func tell(_ salvaged: SalvagedDevice, source: String, target: String) {
        let lost = salvaged.lost
        let count = lost.ranges.count
        let why = salvaged.firstError?.description ?? "the file ends before"
        var text = "gantry: \(source) could not be read as a whole: \(lost.bytes) bytes in \(count) "
        text += "range\(count == 1 ? "" : "s") are zeroes in \(target)\n  why: \(why)\n"
        if lost.isCoarse { text += "  There were more ranges than are told: some hold bytes that could be read.\n" }
        for range in lost.ranges.prefix(most) { text += "  lost: \(range.count) bytes from \(range.lowerBound) on\n" }
        if count > most { text += "  and \(count - most) more, which --json tells\n" }
        TerminalOutput.standardError.write(text)
    }
}
