/// What a check of an image found, and repaired.
public struct CheckReport: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable {
        /// Metadata contradict each other: writing could destroy data.
        case corruption
        /// Space that nothing uses.
        case leak
        /// Worth knowing, and harmless.
        case note
    }

    public struct Finding: Hashable, Sendable {
        public var severity: Severity
        public var message: String
        /// File offset concerned.
        public var offset: UInt64?
        public var isRepaired: Bool
    }

    /// The first findings; the counts below are of all.
    public private(set) var findings: [Finding] = []
    /// Counts at the end, repaired ones left out.
    public var corruptions: UInt64 = 0
    public var leaks: UInt64 = 0
    public var corruptionsRepaired: UInt64 = 0
    public var leaksRepaired: UInt64 = 0
    /// Allocation units of the image: of its virtual size, stored, stored compressed, and not behind their predecessor.
    public var totalClusters: UInt64 = 0
    public var allocatedClusters: UInt64 = 0
    public var compressedClusters: UInt64 = 0
    public var fragmentedClusters: UInt64 = 0
    /// File offset behind all that is in use.
    public var imageEnd: UInt64 = 0

    /// Findings kept with their texts.
    static let mostFindings = 200

    public init() {}

    public var isClean: Bool { corruptions == 0 && leaks == 0 }

    /// Counts and notes one finding (`count` of them).
    mutating func add(
        _ severity: Severity, _ message: @autoclosure () -> String, offset: UInt64? = nil, count: UInt64 = 1,
        isRepaired: Bool = false
    ) {
        switch (severity, isRepaired) {
        case (.corruption, false): corruptions += count
        case (.corruption, true): corruptionsRepaired += count
        case (.leak, false): leaks += count
        case (.leak, true): leaksRepaired += count
        case (.note, _): break
        }
        if findings.count < Self.mostFindings {
            findings.append(Finding(severity: severity, message: message(), offset: offset, isRepaired: isRepaired))
        }
    }
}

/// What a repair may change.
public enum RepairChoice: String, CaseIterable, Sendable {
    /// Only give back space that nothing uses.
    case leaks
    /// Everything that can be put right.
    case all
}
