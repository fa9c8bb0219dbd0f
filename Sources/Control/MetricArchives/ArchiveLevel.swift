/// One resolution of an archive.
public struct ArchiveLevel: Hashable, Sendable {
    /// Primary points in one row.
    public let points: Int
    /// Rows kept.
    public let rows: Int
    public let consolidations: [Consolidation]

    /// Seconds between two primary points.
    public static let primaryStep: Int64 = 5

    /// Seconds between two rows.
    public var step: Int64 { Self.primaryStep * Int64(points) }
    /// Seconds that the level reaches back.
    public var span: Int64 { step * Int64(rows) }

    /// 10 minutes by 5 seconds, 2 hours by minutes, a week by hours, a year by days. A single point is its own minimum
    /// and maximum.
    public static let all = [
        ArchiveLevel(points: 1, rows: 120, consolidations: [.average]),
        ArchiveLevel(points: 12, rows: 120, consolidations: Consolidation.allCases),
        ArchiveLevel(points: 720, rows: 168, consolidations: Consolidation.allCases),
        ArchiveLevel(points: 17280, rows: 366, consolidations: Consolidation.allCases),
    ]
}

/// The points of a row that is not complete yet.
struct RowInProgress: Hashable, Sendable {
    var sum = 0.0
    var lowest = Double.infinity
    var highest = -Double.infinity
    var known = 0
    var unknown = 0

    var points: Int { known + unknown }

    mutating func add(_ value: Double) {
        guard !value.isNaN else {
            unknown += 1
            return
        }
        known += 1
        sum += value
        lowest = min(lowest, value)
        highest = max(highest, value)
    }

    /// What the known points come to; NaN when there are none.
    func value(_ consolidation: Consolidation) -> Double {
        guard known > 0 else { return .nan }
        return switch consolidation {
        case .average: sum / Double(known)
        case .minimum: lowest
        case .maximum: highest
        }
    }
}
