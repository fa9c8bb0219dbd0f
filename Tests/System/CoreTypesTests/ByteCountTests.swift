import CoreTypes
import Testing

@Suite struct ByteCountTests {
    @Test(
        arguments: [
            ("0", 0), ("123", 123), ("1 KiB", 1024), ("1k", 1024), ("2MB", 2 << 20), ("16GiB", 16 << 30),
            ("3 tib", 3 << 40),
            ("1P", 1 << 50), ("7bytes", 7), ("18446744073709551615", .max),
        ] as [(String, UInt64)])
    func readsWhatPeopleWrite(_ row: (String, UInt64)) {
        #expect(ByteCount(parsing: row.0)?.bytes == row.1)
    }

    @Test(arguments: ["", "G", "-1", "1.5G", "1X", "18446744073709551616", "16777216T", "１", "1 G B"])
    func refusesEverythingElse(_ text: String) {
        #expect(ByteCount(parsing: text) == nil)
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536, "1.50 KiB"), (10 << 20, "10.0 MiB"),
            (150 << 30, "150 GiB"),
            (.max, "16.0 EiB"),
        ] as [(UInt64, String)])
    func writesThreeDigits(_ row: (UInt64, String)) {
        #expect(ByteCount(row.0).description == row.1)
    }
}
