/// What became of one case.
struct CaseResult: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        case passed
        case failed(String)
        case skipped(String)
    }

    let name: String
    let outcome: Outcome
    let seconds: Double

    /// A line for people.
    var line: String {
        switch outcome {
        case .passed: "passed  \(name)"
        case .failed(let reason): "FAILED  \(name): \(reason)"
        case .skipped(let reason): "skipped \(name): \(reason)"
        }
    }
}

/// What became of a run.
struct RunReport: Hashable, Sendable {
    var results: [CaseResult] = []

    var passed: Int { results.count { $0.outcome == .passed } }
    var failed: Int { results.count { if case .failed = $0.outcome { true } else { false } } }
    var skipped: Int { results.count { if case .skipped = $0.outcome { true } else { false } } }

    /// The last lines: what was skipped, if anything, and the line that scripts look for.
    var closing: String { (skipped > 0 ? "\(skipped) skipped\n" : "") + "\(passed) passed, \(failed) failed\n" }

    /// The report in the XML that continuous integration reads, after JUnit's.
    var junit: String {
        let total = results.reduce(0) { $0 + $1.seconds }
        let counts =
            "tests=\"\(results.count)\" failures=\"\(failed)\" errors=\"0\" skipped=\"\(skipped)\""
            + " time=\"\(Self.decimal(total))\""
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(counts)>\n"
        text += "  <testsuite name=\"quicktest\" \(counts)>\n"
        for result in results {
            text += "    <testcase classname=\"quicktest\" name=\"\(Self.escaped(result.name))\""
            text += " time=\"\(Self.decimal(result.seconds))\""
            switch result.outcome {
            case .passed: text += "/>\n"
            case .failed(let reason): text += "><failure message=\"\(Self.escaped(reason))\"/></testcase>\n"
            case .skipped(let reason): text += "><skipped message=\"\(Self.escaped(reason))\"/></testcase>\n"
            }
        }
        return text + "  </testsuite>\n</testsuites>\n"
    }

    /// Milliseconds are enough.
    private static func decimal(_ seconds: Double) -> String {
        let milliseconds = Int((seconds * 1000).rounded())
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    /// Text for an attribute. What XML 1.0 (§2.2) cannot hold becomes U+FFFD.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
