/// What `/rrd_updates` asks for.
public struct UpdatesQuery: Sendable {
    /// Seconds since 1970; negative: before the newest point.
    public var start: Int64
    /// The least number of seconds between two rows; 0 for no wish.
    public var interval: Int64
    /// Nil: all of them.
    public var consolidation: Consolidation?

    public init(start: Int64, interval: Int64 = 0, consolidation: Consolidation? = nil) {
        self.start = start
        self.interval = interval
        self.consolidation = consolidation
    }
}

/// The answer: rows of several archives side by side, newest first.
public struct UpdatesExport: Sendable {
    public let start: Int64
    public let step: Int64
    public let end: Int64
    /// `AVERAGE:vm:UUID:NAME`
    public let legend: [String]
    public let rows: [(time: Int64, values: [Double])]

    /// The finest level that is coarse enough and reaches back to the start; the last one when none does.
    static func level(for query: UpdatesQuery, start: Int64, newest: Int64) -> Int {
        let fitting = ArchiveLevel.all.indices.filter { ArchiveLevel.all[$0].step >= query.interval }
        let reaching = fitting.first { start > newest - ArchiveLevel.all[$0].span }
        return reaching ?? ArchiveLevel.all.indices.last ?? 0
    }

    public init(_ archives: [(owner: MetricOwner, archive: MetricArchive)], _ query: UpdatesQuery) {
        let newest = archives.map(\.archive.lastPoint).max() ?? 0
        let newestTime = newest * ArchiveLevel.primaryStep
        // Any number may be asked for. What is past the newest point has no rows, whatever it is.
        let asked = query.start < 0 ? newestTime + query.start : query.start
        let start = min(max(0, asked), newestTime + 1)
        let index = Self.level(for: query, start: start, newest: newestTime)
        let level = ArchiveLevel.all[index]
        var legend: [String] = []
        var columns: [(ring: Ring, lag: Int)] = []
        for (owner, archive) in archives {
            // An archive that is behind (a VM that is halted) has its newest rows further down.
            let lag = newest / Int64(level.points) - archive.lastPoint / Int64(level.points)
            for (place, consolidation) in level.consolidations.enumerated()
            where query.consolidation == nil || query.consolidation == consolidation || level.points == 1 {
                // One point is its own average, minimum and maximum.
                let word = level.points == 1 ? query.consolidation ?? consolidation : consolidation
                for series in archive.series {
                    legend.append("\(word.rawValue):\(owner.word):\(owner.uuid):\(series.source.name)")
                    columns.append((series.rings[index][place], Int(clamping: lag)))
                }
            }
        }
        self.legend = legend
        step = level.step
        end = newestTime / level.step * level.step
        self.start = start / level.step * level.step + level.step
        var rows: [(time: Int64, values: [Double])] = []
        for age in 0..<level.rows {
            let time = end - Int64(age) * level.step
            if time < start || time <= 0 { break }
            rows.append((time, columns.map { $0.ring.value(age: age - $0.lag) }))
        }
        self.rows = columns.isEmpty ? [] : rows
    }

    /// The `xport` format of RRDtool.
    public var xml: String {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xport><meta>"
        text += "<start>\(start)</start><step>\(step)</step><end>\(end)</end>"
        text += "<rows>\(rows.count)</rows><columns>\(legend.count)</columns><legend>"
        for entry in legend { text += "<entry>\(MetricText.xml(entry))</entry>" }
        text += "</legend></meta><data>"
        for row in rows {
            text += "<row><t>\(row.time)</t>"
            for value in row.values { text += "<v>\(MetricText.number(value))</v>" }
            text += "</row>"
        }
        return text + "</data></xport>"
    }

    /// The same as JSON. Every number is a string: JSON has no NaN.
    public var json: String {
        var text = "{\"meta\":{\"start\":\"\(start)\",\"step\":\"\(step)\",\"end\":\"\(end)\","
        text += "\"rows\":\"\(rows.count)\",\"columns\":\"\(legend.count)\",\"legend\":["
        text += legend.map(MetricText.json).joined(separator: ",")
        text += "]},\"data\":["
        for (index, row) in rows.enumerated() {
            if index > 0 { text += "," }
            text += "{\"t\":\"\(row.time)\",\"values\":["
            text += row.values.map { "\"\(MetricText.number($0))\"" }.joined(separator: ",")
            text += "]}"
        }
        return text + "]}"
    }
}
