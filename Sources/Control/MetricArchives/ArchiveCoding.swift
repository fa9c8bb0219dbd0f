/// Archives as bytes, for a file of their own: little endian, with a mark, a version and a checksum. A damaged file is
/// never half believed.
extension MetricArchive {
    private static let mark: [UInt8] = Array("GMETRIC1".utf8)

    public var encoded: [UInt8] {
        var out = ByteWriter()
        out.int(lastPoint)
        out.int(Int64(forgotten.count))
        for name in forgotten.sorted() { out.text(name) }
        out.int(Int64(series.count))
        for series in series {
            out.text(series.source.name)
            out.text(series.source.description)
            out.text(series.source.units)
            out.text(series.source.kind.rawValue)
            for value in [
                series.source.minimum, series.source.maximum, series.lastSample, series.lastTime, series.value,
            ] {
                out.number(value)
            }
            for (index, rings) in series.rings.enumerated() {
                let row = series.progress[index]
                for value in [row.sum, row.lowest, row.highest] { out.number(value) }
                out.int(Int64(row.known))
                out.int(Int64(row.unknown))
                for ring in rings {
                    out.int(Int64(ring.count))
                    for value in ring.oldestFirst { out.number(value) }
                }
            }
        }
        var sum = ByteWriter()
        sum.int(Int64(bitPattern: Self.checksum(out.bytes[...])))
        return Self.mark + sum.bytes + out.bytes
    }

    /// The same in no more than `limit` bytes: of every ring as large a part as there is room for, the newest. Nil where there is none for
    /// the sources alone.
    public func encoded(within limit: Int) -> [UInt8]? {
        let all = encoded
        if all.count <= limit { return all }
        let numbers = series.reduce(0) { $0 + $1.count }
        let bare = all.count - 8 * numbers
        guard bare <= limit else { return nil }
        var kept = self
        for index in kept.series.indices { kept.series[index].keep((limit - bare) / 8, of: numbers) }
        return kept.encoded
    }

    /// Nil for bytes that are not a whole archive of this version.
    public init?(encoded bytes: [UInt8]) {
        guard bytes.starts(with: Self.mark) else { return nil }
        var reader = ByteReader(bytes[Self.mark.count...])
        guard let sum = reader.int(), UInt64(bitPattern: sum) == Self.checksum(reader.rest) else { return nil }
        guard let last = reader.int(), last >= 0, let gone = reader.count(limit: 1 << 20) else { return nil }
        var forgotten: Set<String> = []
        for _ in 0..<gone {
            guard let name = reader.text() else { return nil }
            forgotten.insert(name)
        }
        guard let count = reader.count(limit: Self.seriesLimit) else { return nil }
        var all: [Series] = []
        for _ in 0..<count {
            guard let series = reader.series() else { return nil }
            all.append(series)
        }
        guard reader.rest.isEmpty else { return nil }
        self.init(lastPoint: last, series: all, forgotten: forgotten)
    }

    /// FNV-1a, 64 bits: against torn writes, not against forgers.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

private struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func int(_ value: Int64) { word(UInt64(bitPattern: value)) }
    mutating func number(_ value: Double) { word(value.bitPattern) }
    mutating func text(_ value: String) {
        int(Int64(value.utf8.count))
        bytes += Array(value.utf8)
    }

    private mutating func word(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

private struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>
    private static let longestText = 4096

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    private mutating func word() -> UInt64? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func int() -> Int64? { word().map { Int64(bitPattern: $0) } }
    mutating func number() -> Double? { word().map { Double(bitPattern: $0) } }

    mutating func count(limit: Int) -> Int? {
        guard let value = int(), value >= 0, value <= Int64(limit) else { return nil }
        return Int(value)
    }

    mutating func text() -> String? {
        guard let length = count(limit: Self.longestText), rest.count >= length else { return nil }
        defer { rest = rest.dropFirst(length) }
        return String(decoding: rest.prefix(length), as: UTF8.self)
    }

    mutating func series() -> Series? {
        guard let name = text(), let description = text(), let units = text(),
            let kind = text().flatMap(MetricSource.Kind.init(rawValue:)), let minimum = number(),
            let maximum = number(),
            let lastSample = number(), let lastTime = number(), let value = number()
        else { return nil }
        var rings: [[Ring]] = []
        var progress: [RowInProgress] = []
        for level in ArchiveLevel.all {
            guard let sum = number(), let lowest = number(), let highest = number(),
                let known = count(limit: level.points), let unknown = count(limit: level.points)
            else { return nil }
            progress.append(
                RowInProgress(sum: sum, lowest: lowest, highest: highest, known: known, unknown: unknown))
            var row: [Ring] = []
            for _ in level.consolidations {
                guard let count = count(limit: level.rows) else { return nil }
                var values: [Double] = []
                for _ in 0..<count {
                    guard let value = number() else { return nil }
                    values.append(value)
                }
                row.append(Ring(capacity: level.rows, oldestFirst: values))
            }
            rings.append(row)
        }
        return Series(
            MetricSource(name, description, units: units, kind: kind, minimum: minimum, maximum: maximum),
            lastSample: lastSample, lastTime: lastTime, value: value, rings: rings, progress: progress)
    }
}
