/// Numbers and texts as the formats of this target write them.
enum MetricText {
    /// The shortest text that reads back as the same number; `NaN`, `Infinity` and `-Infinity` as RRDtool's readers know.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return String(describing: value)
    }

    static func xml(_ text: String) -> String {
        var all = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": all += "&lt;"
            case ">": all += "&gt;"
            case "&": all += "&amp;"
            case "\"": all += "&quot;"
            case "\t", "\n", "\r": all.unicodeScalars.append(scalar)
            case _ where scalar.value < 32 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: break
            default: all.unicodeScalars.append(scalar)
            }
        }
        return all
    }

    /// With its quotes.
    static func json(_ text: String) -> String {
        var all = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": all += "\\\""
            case "\\": all += "\\\\"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                all += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: all.unicodeScalars.append(scalar)
            }
        }
        return all + "\""
    }
}
