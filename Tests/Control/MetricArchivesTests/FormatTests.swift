import Foundation
import MetricArchives
import TestSupport
import Testing

@Suite struct FormatTests {
    private static let now: Int64 = 1_700_006_400

    private func archive(_ values: [Double], upTo time: Int64 = now) -> MetricArchive {
        var archive = MetricArchive()
        let source = MetricSource("cpu<0>&\"", "share", units: "(fraction)", maximum: 1)
        for (index, value) in values.enumerated() {
            let at = time - Int64(values.count - 1 - index) * 5
            archive.record([Reading(source, value)], at: Double(at))
        }
        return archive
    }

    @Test func updatesAreReadByOrdinaryXMLAndJSONReaders() throws {
        let export = UpdatesExport(
            [(.host("h-1"), archive([0.25, .nan, 0.75])), (.vm("v-1"), archive([0.5], upTo: Self.now - 5))],
            UpdatesQuery(start: Self.now - 60, consolidation: .average))
        let script = """
            import json, sys, xml.etree.ElementTree as E
            both = json.load(sys.stdin)
            root = E.fromstring(both["xml"]); data = json.loads(both["json"])
            meta = root.find("meta")
            assert [e.text for e in meta.find("legend")] == data["meta"]["legend"], data
            for name in ("start", "step", "end", "rows", "columns"):
                assert meta.find(name).text == data["meta"][name], name
            rows = [[r.find("t").text] + [v.text for v in r.findall("v")] for r in root.find("data")]
            assert rows == [[r["t"]] + r["values"] for r in data["data"]]
            assert len(rows) == int(data["meta"]["rows"]) and len(rows[0]) == int(data["meta"]["columns"]) + 1
            print(data["meta"]["legend"], rows[:3])
            """
        let input = try JSONSerialization.data(withJSONObject: ["xml": export.xml, "json": export.json])
        let output = try Tool.check("python3", ["-c", script], input: String(decoding: input, as: UTF8.self))
        #expect(
            output.trimmingCharacters(in: .newlines)
                == "['AVERAGE:host:h-1:cpu<0>&\"', 'AVERAGE:vm:v-1:cpu<0>&\"'] "
                + "[['\(Self.now)', '0.75', 'NaN'], ['\(Self.now - 5)', 'NaN', '0.5'], ['\(Self.now - 10)', '0.25', 'NaN']]"
        )
    }

    @Test(arguments: [Int64.max, .max - 4, .max - 86400, now + 1, now, -1, 0, .min + 1, .min])
    func updatesMayBeAskedForFromAnyTimeOn(_ start: Int64) {
        for archives in [[(MetricOwner.host("h-1"), archive([0.25, 0.75]))], []] {
            for interval in [0, 60, Int64.max] {
                let export = UpdatesExport(archives, UpdatesQuery(start: start, interval: interval))
                #expect(export.rows.allSatisfy { $0.time >= start })
                #expect(start <= Self.now || export.rows.isEmpty)
            }
        }
    }

    /// Seconds before the newest point.
    @Test func aNegativeStartIsSoLongAgo() {
        let archives = [(MetricOwner.host("h-1"), archive([0.25, 0.75]))]
        for seconds in [1, 5, 60, 599] as [Int64] {
            let export = UpdatesExport(archives, UpdatesQuery(start: -seconds))
            let same = UpdatesExport(archives, UpdatesQuery(start: Self.now - seconds))
            #expect(export.rows.map(\.time) == same.rows.map(\.time) && export.start == same.start)
            #expect(export.rows.count == Int(seconds / 5) + 1 && export.rows.last?.time == Self.now - seconds / 5 * 5)
        }
    }

    @Test func aWholeArchiveHasTenTablesOfAllRows() throws {
        let script = """
            import json, sys, xml.etree.ElementTree as E
            both = json.load(sys.stdin)
            root = E.fromstring(both["xml"]); data = json.loads(both["json"])
            assert root.find("step").text == "5" and root.find("version").text == "0003"
            assert [d.find("name").text for d in root.findall("ds")] == [d["name"] for d in data["ds"]]
            tables = [(r.find("cf").text, int(r.find("pdp_per_row").text), len(r.find("database"))) for r in root.findall("rra")]
            assert tables == [(r["cf"], int(r["pdp_per_row"]), len(r["database"])) for r in data["rra"]]
            print(tables, root.find("lastupdate").text, [v.text for v in root.find("rra").find("database")[-1]])
            """
        let archive = archive([0.5, 0.25])
        let input = try JSONSerialization.data(withJSONObject: ["xml": archive.xml, "json": archive.json])
        let output = try Tool.check("python3", ["-c", script], input: String(decoding: input, as: UTF8.self))
        let levels = [(12, 120), (720, 168), (17280, 366)].flatMap { points, rows in
            ["AVERAGE", "MIN", "MAX"].map { "('\($0)', \(points), \(rows))" }
        }
        let expected = "[" + (["('AVERAGE', 1, 120)"] + levels).joined(separator: ", ") + "] \(Self.now) ['0.25']"
        #expect(output.trimmingCharacters(in: .newlines) == expected)
    }

    @Test func expositionsAreGroupedAndEscaped() {
        func reading(_ family: String, _ kind: Exposition.Kind, _ value: Double, _ label: String) -> Reading {
            Reading(
                MetricSource(family, "", units: ""), value,
                Exposition(
                    family, kind, "A back\\slash and a\nline.", labels: [.init("name", label), .init("n", "1")],
                    scale: 2))
        }
        let text = Exposition.text([
            reading("a_bytes", .gauge, 1.25, "x\"y\\z\nw"), reading("b_total", .counter, 3, "ü"),
            reading("a_bytes", .gauge, .infinity, "second"), reading("a_bytes", .gauge, 9, "second"),
            reading("c", .gauge, .nan, "not known"), Reading(MetricSource("d", "", units: ""), 1),
        ])
        #expect(
            text == """
                # HELP a_bytes A back\\\\slash and a\\nline.
                # TYPE a_bytes gauge
                a_bytes{name="x\\"y\\\\z\\nw",n="1"} 2.5
                a_bytes{name="second",n="1"} +Inf
                # HELP b_total A back\\\\slash and a\\nline.
                # TYPE b_total counter
                b_total{name="ü",n="1"} 6

                """)
    }
}
