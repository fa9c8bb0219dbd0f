import Synchronization

/// A release that brought declarations, `MAJOR.MINOR[.PATCH][-next]`. Those with names are older than all that have numbers.
public struct Release: Hashable, Comparable, Sendable {
    private let numbers: [Int]
    /// What comes after the release of these numbers, and before the next.
    private let isNext: Bool

    /// Nil for a name.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let digits = parts.first, parts.count == 1 || parts[1] == "next" else { return nil }
        let numbers = digits.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard (2...3).contains(numbers.count), numbers.allSatisfy({ (0...1 << 20).contains($0) }) else { return nil }
        self.numbers = numbers.count == 3 ? numbers : numbers + [0]
        isNext = parts.count == 2
    }

    public static func < (one: Release, other: Release) -> Bool {
        if one.numbers != other.numbers { return one.numbers.lexicographicallyPrecedes(other.numbers) }
        return !one.isNext && other.isNext
    }

    /// Whether what `since` names was not there yet.
    func isBefore(_ since: String) -> Bool { Release(since).map { self < $0 } ?? false }

    /// The release whose clients and servers this process is to be like; nil: the newest. Counts when the datamodel is first
    /// looked at.
    static let chosen = Mutex<Release?>(nil)
}

extension Datamodel {
    /// From here on the process knows no field, parameter or message on the wire that came after `release`: what is tested
    /// with is then like an older server. To be called before anything else of the datamodel is used.
    public static func behave(like release: Release) { Release.chosen.withLock { $0 = release } }

    /// False: this process is like an older server.
    public static var isNewest: Bool { Release.chosen.withLock { $0 == nil } }
}

extension ClassDeclaration {
    /// The class as clients of an older release know it. What they do not know is kept where it is stored, and not shown.
    func known(in release: Release) -> ClassDeclaration {
        var older = self
        older.fields = fields.map { field in
            var field = field
            if release.isBefore(field.since) { field.isInternal = true }
            return field
        }
        older.messages = messages.filter { !release.isBefore($0.since) }.map { message in
            var message = message
            message.parameters.removeAll { $0.defaultValue != nil && release.isBefore($0.since) }
            return message
        }
        return older
    }
}
