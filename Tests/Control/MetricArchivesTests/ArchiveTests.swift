import MetricArchives
import TestSupport
import Testing

@Suite struct ArchiveTests {
    private static let gauge = MetricSource("g", "a gauge", units: "B", minimum: 0)
    private static let counter = MetricSource("c", "a counter", units: "B/s", kind: .counter)
    /// A time at which a day begins.
    private static let morning: Int64 = 1_700_006_400

    private func rows(_ archive: MetricArchive, interval: Int64, _ consolidation: Consolidation) -> [[Double]] {
        export(archive, interval: interval, consolidation).rows.map(\.values)
    }

    /// All rows of the level whose rows are `interval` seconds apart.
    private func export(_ archive: MetricArchive, interval: Int64, _ consolidation: Consolidation) -> UpdatesExport {
        let span = ArchiveLevel.all.first { $0.step == interval }?.span ?? 0
        let query = UpdatesQuery(start: 1 - span, interval: interval, consolidation: consolidation)
        return UpdatesExport([(.host("h"), archive)], query)
    }

    @Test func aMinuteIsTheAverageTheLowestAndTheHighestOfItsPoints() {
        var archive = MetricArchive()
        for point in 0...24 {
            archive.record([Reading(Self.gauge, Double(point))], at: Double(Self.morning + Int64(point) * 5))
        }
        let newest = UpdatesExport(
            [(.vm("v"), archive)], UpdatesQuery(start: Self.morning + 1, interval: 60, consolidation: nil))
        #expect(newest.step == 60)
        #expect(newest.legend == ["AVERAGE:vm:v:g", "MIN:vm:v:g", "MAX:vm:v:g"])
        #expect(newest.rows.map(\.time) == [Self.morning + 120, Self.morning + 60])
        #expect(newest.rows.map(\.values) == [[18.5, 13, 24], [6.5, 1, 12]])
    }

    @Test func countersBecomeRatesAndAResetIsUnknown() {
        var archive = MetricArchive()
        for (index, sample) in [100.0, 150, 250, 20, 70].enumerated() {
            archive.record([Reading(Self.counter, sample)], at: Double(Self.morning) + Double(index) * 5)
        }
        let values = rows(archive, interval: 5, .average).prefix(5).map { $0[0] }
        #expect(values[0] == 10 && values[1].isNaN && values[2] == 20 && values[3] == 10 && values[4].isNaN)
        #expect(archive.value("c") == 10)
    }

    /// What is sent where there is not room for all: the newest of each.
    @Test func anArchiveIsCutToTheRoomThereIs() throws {
        var archive = MetricArchive()
        let sources = (0..<10).map { MetricSource("g\($0)", "a gauge", units: "B") }
        for point in 0..<1000 {
            archive.record(
                sources.map { Reading($0, Double(point)) }, at: Double(Self.morning + Int64(point) * 5))
        }
        let all = archive.encoded
        #expect(archive.encoded(within: all.count) == all)
        let limit = all.count / 2
        let cut = try #require(archive.encoded(within: limit))
        #expect(cut.count <= limit && cut.count > limit * 9 / 10)
        let read = try #require(MetricArchive(encoded: cut))
        #expect(read.names == archive.names && read.lastUpdate == archive.lastUpdate && read.value("g3") == 999)
        let (kept, known) = (rows(read, interval: 5, .average), rows(archive, interval: 5, .average))
        let isKnown = [kept[119], known[119]].map { row in row.map { !$0.isNaN } }
        #expect(kept[0] == known[0] && kept[20] == known[20])
        #expect(isKnown == [[Bool](repeating: false, count: 10), [Bool](repeating: true, count: 10)])
        // It goes on there.
        var other = read
        other.record(sources.map { Reading($0, 1000) }, at: Double(Self.morning + 5000))
        #expect(rows(other, interval: 5, .average)[0] == [Double](repeating: 1000, count: 10))
        #expect(archive.encoded(within: 100) == nil)
    }

    @Test func valuesOutsideTheirLimitsAreUnknown() {
        var archive = MetricArchive()
        archive.record([Reading(Self.gauge, -1)], at: Double(Self.morning))
        #expect(archive.value("g")?.isNaN == true)
        #expect(archive.value("other") == nil)
    }

    @Test func shortSilencesAreBridgedAndLongOnesAreUnknown() {
        var archive = MetricArchive()
        let times: [Int64] = [0, 15, 60]
        for time in times { archive.record([Reading(Self.gauge, Double(time))], at: Double(Self.morning + time)) }
        let values = rows(archive, interval: 5, .average).map { $0[0] }
        // Newest first: 60, then eight that nobody saw, then 15 for itself and the two before it, then 0.
        #expect(values[0] == 60 && values[1...8].allSatisfy(\.isNaN) && Array(values[9...12]) == [15, 15, 15, 0])
    }

    @Test func twoLooksWithinOneStepAreOne() {
        var archive = MetricArchive()
        let first = archive.record([Reading(Self.gauge, 1)], at: Double(Self.morning))
        let second = archive.record([Reading(Self.gauge, 2)], at: Double(Self.morning) + 4.9)
        #expect(first && !second)
        #expect(archive.value("g") == 1)
        for time in [Double.nan, -1, .infinity, 1e300] {
            let taken = archive.record([], at: time)
            #expect(!taken)
        }
    }

    /// Against a model that keeps every point: a random history with gaps, at every level.
    @Test func everyLevelAgreesWithAllPointsKept() {
        var random = SeededRandom.printed()
        var archive = MetricArchive()
        var points: [Int64: Double] = [:]
        var point = Self.morning / 5
        let first = point
        while point < first + 60_000 {
            let value = Double(Int.random(in: 0...1000, using: &random))
            archive.record([Reading(Self.gauge, value)], at: Double(point * 5))
            points[point] = value
            point += Int.random(in: 0..<500, using: &random) == 0 ? Int64.random(in: 4...3000, using: &random) : 1
        }
        for (interval, count) in [(Int64(5), Int64(1)), (60, 12), (3600, 720), (86400, 17280)] {
            for consolidation in Consolidation.allCases {
                let export = export(archive, interval: interval, consolidation)
                #expect(export.step == interval && !export.rows.isEmpty)
                for row in export.rows where row.time / 5 - count >= first {
                    let known = ((row.time / 5 - count + 1)...(row.time / 5)).compactMap { points[$0] }
                    let expected: Double =
                        switch consolidation {
                        case .average: known.isEmpty ? .nan : known.reduce(0, +) / Double(known.count)
                        case .minimum: known.min() ?? .nan
                        case .maximum: known.max() ?? .nan
                        }
                    let same = expected.isNaN ? row.values[0].isNaN : abs(row.values[0] - expected) < 1e-6
                    #expect(same, "step \(interval) \(consolidation) at \(row.time): \(row.values[0]), not \(expected)")
                }
            }
        }
    }

    @Test func theLevelIsTheFinestThatReachesBackAndIsCoarseEnough() {
        var archive = MetricArchive()
        archive.record([Reading(Self.gauge, 1)], at: Double(Self.morning))
        func step(_ start: Int64, _ interval: Int64 = 0) -> Int64 {
            UpdatesExport([(.host("h"), archive)], UpdatesQuery(start: start, interval: interval)).step
        }
        #expect(step(Self.morning - 599) == 5)
        #expect(step(Self.morning - 600) == 60)
        #expect(step(-300) == 5)
        #expect(step(Self.morning - 7300) == 3600)
        #expect(step(Self.morning - 700_000) == 86400)
        #expect(step(1) == 86400)
        #expect(step(Self.morning - 10, 60) == 60)
        #expect(step(Self.morning - 10, 3000) == 3600)
        #expect(step(Self.morning - 10, 1 << 40) == 86400)
        #expect(step(Int64.min) == 86400)
    }

    @Test func yearsOfSilenceCostNothing() {
        var archive = MetricArchive()
        archive.record([Reading(Self.gauge, 1)], at: 10)
        archive.record([Reading(Self.gauge, 2)], at: 900_000_000_000)
        #expect(archive.value("g") == 2)
        #expect(rows(archive, interval: 3600, .average).allSatisfy { $0[0].isNaN || $0[0] == 2 })
    }

    @Test func aClockThatIsSetBackFarBeginsAnew() {
        var archive = MetricArchive()
        archive.record([Reading(Self.gauge, 1)], at: Double(Self.morning))
        let little = archive.record([Reading(Self.gauge, 2)], at: Double(Self.morning - 600))
        #expect(!little, "it waits for the clock")
        let far = archive.record([Reading(Self.gauge, 3)], at: Double(Self.morning - 86400))
        #expect(far)
        #expect(archive.lastUpdate == Self.morning - 86400)
        #expect(archive.value("g") == 3)
    }

    @Test func aForgottenSourceLosesItsHistoryUntilItIsRecordedAgain() {
        var archive = MetricArchive()
        let both = [Reading(Self.gauge, 1), Reading(Self.counter, 1)]
        archive.record(both, at: Double(Self.morning))
        archive.forget("g")
        archive.record(both, at: Double(Self.morning + 5))
        #expect(archive.names == ["c"])
        archive.resume("g")
        archive.record(both, at: Double(Self.morning + 10))
        #expect(archive.names == ["c", "g"])
        #expect(rows(archive, interval: 5, .average).prefix(2).map { $0[1] }[0] == 1)
        #expect(rows(archive, interval: 5, .average)[1][1].isNaN)
    }

    @Test func anArchiveIsTheSameAfterItsBytes() throws {
        var random = SeededRandom.printed()
        var archive = MetricArchive()
        for point in 0..<2000 {
            archive.record(
                [
                    Reading(Self.gauge, Double.random(in: 0...9, using: &random)),
                    Reading(Self.counter, Double(point * point)),
                ], at: Double(Self.morning + Int64(point) * 5))
        }
        archive.forget("none")
        let bytes = archive.encoded
        var again = try #require(MetricArchive(encoded: bytes))
        #expect(again.xml == archive.xml)
        #expect(again.encoded == bytes)
        let next = [Reading(Self.gauge, 1), Reading(Self.counter, 5e6)]
        archive.record(next, at: Double(Self.morning + 10_000))
        again.record(next, at: Double(Self.morning + 10_000))
        #expect(again.xml == archive.xml)
        // Damage of any kind is found.
        for _ in 0..<300 {
            var bad = bytes
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bad[place] ^= UInt8.random(in: 1...255, using: &random)
            #expect(MetricArchive(encoded: bad) == nil)
            #expect(MetricArchive(encoded: Array(bytes.prefix(place))) == nil)
        }
    }
}
