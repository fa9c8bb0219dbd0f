import CoreTypes
import Foundation
import RPCCodec
import TestSupport
import Testing

@Suite struct DateTimeTextTests {
    @Test(arguments: [
        ("19700101T00:00:00Z", Int64(0)), ("20000229T23:59:59Z", 951_868_799), ("1970-01-01T00:00:01Z", 1),
        ("19700101T00:00:00", 0), ("19700101T01:00:00+01:00", 0), ("19691231T230000-0100", 0),
        ("1970-01-01T00:00:00.25Z", 0), ("99991231T23:59:59Z", 253_402_300_799), ("19691231T23:59:59Z", -1),
    ])
    func datesAreReadInTheirManySpellings(_ text: String, _ seconds: Int64) {
        #expect(DateTimeText.parse(text) == seconds)
    }

    @Test(arguments: [
        "", "1970", "19700101", "19701301T00:00:00Z", "19700230T00:00:00Z", "19000229T00:00:00Z",
        "19700101T24:00:00Z", "19700101T00:60:00Z", "19700101T00:00:00X", "19700101T00:00:00Zx",
        "1970-0101T00:00:00Z", "+1970101T00:00:00Z", "19700101T00:00:00+1",
    ])
    func textsThatAreNoDatesAreRefused(_ text: String) {
        #expect(DateTimeText.parse(text) == nil)
    }

    @Test func everyDateReadsBackAndAgreesWithFoundation() throws {
        var random = SeededRandom.printed()
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyyMMdd'T'HH:mm:ss'Z'"
        for _ in 0..<500 {
            // From 1700 on: Foundation uses another calendar for the far past.
            let seconds = Int64.random(in: -8_520_336_000...253_402_300_799, using: &random)
            let text = DateTimeText.format(seconds)
            #expect(text == formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds))))
            #expect(DateTimeText.parse(text) == seconds)
        }
        #expect(DateTimeText.format(.max) == "99991231T23:59:59Z")
        #expect(DateTimeText.format(.min) == "00000101T00:00:00Z")
    }
}
