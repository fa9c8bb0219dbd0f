/// How far a process is that copies a disk and compares what it has written: the lines that it says while it works.
public struct CopiedShare: Hashable, Sendable {
    /// Of the whole, what the copy is where a comparison follows it.
    private static let copyShare = 0.7

    /// 0 to 1.
    public let copied: Double
    /// 0 to 1; nil: nothing is compared.
    public let compared: Double?

    public init(copied: Double, compared: Double? = nil) { (self.copied, self.compared) = (copied, compared) }

    /// Nil for what is no such line: the copy is over.
    public init?(line: String) {
        let numbers = line.split(separator: " ", omittingEmptySubsequences: false).map { Double($0) }
        guard (1...2).contains(numbers.count), !numbers.contains(nil), let first = numbers[0] else { return nil }
        (copied, compared) = (first, numbers.count > 1 ? numbers[1] : nil)
    }

    public var line: String { compared.map { "\(copied) \($0)" } ?? "\(copied)" }

    /// Of all that there is to do.
    public var fraction: Double {
        compared.map { Self.copyShare * copied + (1 - Self.copyShare) * $0 } ?? copied
    }
}
