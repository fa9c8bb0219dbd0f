import APITypes
import PoolDatabase

/// Which of two hosts has the older software. A VM goes to an equal or a newer one only: what an older one does not know of it
/// would be lost. Source: the comparison of `host.software_version` before VM.migrate_send, which `force` does not change.
///
/// The numbers are those of the programs. What a host speaks on the wire (`gantryd serve --compat`) is another thing: it is found
/// out by what its rows and messages have.
enum SoftwareOrder {
    /// The first that differs decides.
    private static let keys = ["platform_version", "build_number"]

    /// False where the two cannot be compared, as those of other makers.
    static func isOlder(_ there: [String: String], than here: [String: String]) -> Bool {
        guard let name = here["platform_name"], there["platform_name"] == name else { return false }
        for key in keys {
            guard let (a, b) = both(there[key], here[key]), a != b else { continue }
            return a.lexicographicallyPrecedes(b)
        }
        return false
    }

    /// Of the same length.
    private static func both(_ a: String?, _ b: String?) -> ([Int], [Int])? {
        guard let a = a.flatMap(numbers), let b = b.flatMap(numbers) else { return nil }
        let count = max(a.count, b.count)
        func padded(_ all: [Int]) -> [Int] { all + Array(repeating: 0, count: count - all.count) }
        return (padded(a), padded(b))
    }

    /// `3.4.0-beta` → 3, 4, 0. Nil for what does not begin with a number.
    private static func numbers(_ text: String) -> [Int]? {
        var all: [Int] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard let number = Int(part.prefix { $0.isASCII && $0.isNumber }) else { break }
            all.append(number)
        }
        return all.isEmpty ? nil : all
    }
}
