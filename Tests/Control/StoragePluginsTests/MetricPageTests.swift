import Foundation
import StorageInterface
import Testing

@testable import StoragePlugins

@Suite("data sources of SMAPIv3 plugins") struct MetricPageTests {
    private static let description = """
        {"datasources": {
          "reads": {"description": "D", "owner": "sr Abc", "value_type": "int64", "type": "derive", "default": "true",
                    "units": "requests", "min": "-inf", "max": "inf"},
          "heat.1": {"owner": "host", "value_type": "float", "type": "gauge", "default": "false", "min": "0", "max": "9.5"},
          "done": {"owner": "vm v", "value_type": "int64"}}}
        """

    private static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe Array($0) }
    }

    static func page(_ description: String = Self.description, count: Int? = nil) -> [UInt8] {
        let values = big((1000.5).bitPattern) + big(Int64(-7)) + big((36.6).bitPattern) + big(Int64(5))
        let text = Array(description.utf8)
        return Array("DATASOURCES".utf8) + big(MetricPage.checksum(values[...])) + big(MetricPage.checksum(text[...]))
            + big(UInt32(count ?? 3)) + values + big(UInt32(text.count)) + text
    }

    @Test("a page's values have the meanings of its description") func values() throws {
        // The check value of CRC-32.
        #expect(MetricPage.checksum(Array("123456789".utf8)[...]) == 0xCBF4_3926)
        let metrics = try MetricPage(Self.page()).metrics
        #expect(metrics.time == 1000.5)
        #expect(
            metrics.all == [
                StorageMetric(
                    name: "reads", description: "D", units: "requests", owner: .repository("abc"), kind: .counter,
                    value: -7),
                StorageMetric(
                    name: "heat.1", description: "", units: "", owner: .host, kind: .gauge, value: 36.6, minimum: 0,
                    maximum: 9.5, isDefault: false),
                StorageMetric(
                    name: "done", description: "", units: "", owner: .machine("v"), kind: .increase, value: 5),
            ])
    }

    @Test("a page that is cut off, changed or wrong is refused") func damage() {
        let good = Self.page()
        for length in 0..<good.count {
            #expect(throws: MisshapenRecord.self) { try MetricPage(Array(good[..<length])) }
        }
        for position in good.indices {
            var bytes = good
            bytes[position] ^= 0x41
            #expect(throws: MisshapenRecord.self, "byte \(position)") { try MetricPage(bytes) }
        }
        for (old, new) in [
            ("\"reads\"", "\"re/ds\""), ("int64", "int8"), ("derive", "other"), ("sr Abc", "pool"), ("9.5", "nan"),
            ("datasources", "sources"), ("\"owner\": \"host\"", "\"owner\": 5"), ("}}}", "}"),
        ] {
            let text = Self.description.replacingOccurrences(of: old, with: new)
            #expect(throws: MisshapenRecord.self, "\(new)") { try MetricPage(Self.page(text)) }
        }
        #expect(throws: MisshapenRecord.self) { try MetricPage(Self.page(count: 1 << 31)) }
    }

    @Test("a data source is a file of its folder and nothing else") func names() {
        #expect(MetricPage.file(ofSource: "xeno+shm:///a-b_1.x") == "a-b_1.x")
        #expect(MetricPage.file(ofSource: "xeno+shm://a") == "a")
        for uri in [
            "xeno+shm:///", "xeno+shm:///..", "xeno+shm:///.a", "xeno+shm:///a/b", "xeno+shm:///a%2fb", "file:///a", "",
            "xeno+shm:///" + String(repeating: "a", count: 201),
        ] { #expect(MetricPage.file(ofSource: uri) == nil, "\(uri)") }
    }
}
