import CoreTypes

/// Numbers as a progress line shows them.
public enum SizeText {
    /// Three significant digits and a binary unit, e.g. `1.50 GiB`.
    public static func bytes(_ count: UInt64) -> String { ByteCount(count).description }

    /// Bytes a second, e.g. `212 MiB/s`; `- B/s` while unknown, negative or not a number.
    public static func rate(_ bytesPerSecond: Double) -> String {
        guard bytesPerSecond.isFinite, bytesPerSecond > 0 else { return "- B/s" }
        let whole = bytesPerSecond >= 9e18 ? UInt64(9e18) : UInt64(bytesPerSecond.rounded())
        return ByteCount(whole).description + "/s"
    }

    /// A length of time as people read it: `12 s`, `3:07`, `2:03:07`; `-` while unknown.
    public static func duration(seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e15 else { return "-" }
        let whole = Int64(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        let hours = whole / 3600
        let minutes = whole / 60 % 60
        let rest = twoDigits(whole % 60)
        return hours == 0 ? "\(minutes):\(rest)" : "\(hours):\(twoDigits(minutes)):\(rest)"
    }

    /// Always `hh:mm:ss`; `--:--:--` while unknown.
    public static func clock(seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0, seconds < 360_000 else { return "--:--:--" }
        let whole = Int64(seconds.rounded())
        return "\(twoDigits(whole / 3600)):\(twoDigits(whole / 60 % 60)):\(twoDigits(whole % 60))"
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
