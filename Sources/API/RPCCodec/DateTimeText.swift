/// Dates on the wire: `20250131T08:15:00Z`.
public enum DateTimeText {
    /// `YYYYMMDDTHH:MM:SSZ`. Seconds outside the years 0 to 9999 give the nearest date that can be written.
    public static func format(_ secondsSince1970: Int64) -> String {
        let seconds = min(max(secondsSince1970, -62_167_219_200), 253_402_300_799)
        let days = Int((seconds - (seconds < 0 ? 86399 : 0)) / 86400)
        let rest = Int(seconds) - days * 86400
        let (year, month, day) = civil(days: days)
        return digits(year, 4) + digits(month, 2) + digits(day, 2) + "T" + digits(rest / 3600, 2) + ":"
            + digits(rest / 60 % 60, 2) + ":" + digits(rest % 60, 2) + "Z"
    }

    /// Seconds since 1970. Dashes in the date and colons in the time are optional; a fraction is dropped; the zone is
    /// `Z`, `±hh:mm`, `±hhmm` or absent, which means UTC. Nil for everything else and for dates that do not exist.
    public static func parse(_ text: String) -> Int64? {
        var rest = Substring(text)
        guard let year = number(&rest, 4) else { return nil }
        let dashed = skip(&rest, "-")
        guard let month = number(&rest, 2) else { return nil }
        if dashed, !skip(&rest, "-") { return nil }
        guard let day = number(&rest, 2) else { return nil }
        guard skip(&rest, "T") || skip(&rest, "t") || skip(&rest, " ") else { return nil }
        guard let hour = number(&rest, 2) else { return nil }
        let coloned = skip(&rest, ":")
        guard let minute = number(&rest, 2) else { return nil }
        if coloned, !skip(&rest, ":") { return nil }
        guard let second = number(&rest, 2) else { return nil }
        if skip(&rest, ".") { rest = rest.drop { $0.isASCII && $0.isNumber } }
        guard let offset = zone(&rest), rest.isEmpty else { return nil }
        guard (1...12).contains(month), day >= 1, day <= length(year: year, month: month), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let time = hour * 3600 + minute * 60 + second
        return Int64(days(year: year, month: month, day: day) * 86400 + time - offset)
    }

    // MARK: - Parts

    private static func number(_ rest: inout Substring, _ count: Int) -> Int? {
        let part = rest.prefix(count)
        guard part.utf8.count == count, part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        rest = rest.dropFirst(count)
        return Int(part)
    }

    private static func skip(_ rest: inout Substring, _ letter: Character) -> Bool {
        guard rest.first == letter else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Seconds east of UTC.
    private static func zone(_ rest: inout Substring) -> Int? {
        if rest.isEmpty || skip(&rest, "Z") || skip(&rest, "z") { return 0 }
        let sign = rest.first
        guard sign == "+" || sign == "-" else { return nil }
        rest = rest.dropFirst()
        guard let hours = number(&rest, 2), hours < 24 else { return nil }
        var minutes = 0
        if !rest.isEmpty {
            _ = skip(&rest, ":")
            guard let given = number(&rest, 2), given < 60 else { return nil }
            minutes = given
        }
        let offset = hours * 3600 + minutes * 60
        return sign == "-" ? -offset : offset
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    // MARK: - The calendar, counted in eras of 400 years that begin on the first of March

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func length(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
