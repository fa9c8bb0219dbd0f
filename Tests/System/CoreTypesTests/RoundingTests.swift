import CoreTypes
import Testing

@Suite struct RoundingTests {
    @Test func roundsWithoutOverflow() {
        #expect((0 as UInt64).roundedUp(to: 512) == 0)
        #expect((1 as UInt64).roundedUp(to: 512) == 512)
        #expect((512 as UInt64).roundedUp(to: 512) == 512)
        #expect(UInt64.max.roundedUp(to: 512) == nil)
        #expect((1023 as UInt64).roundedDown(to: 512) == 512)
        #expect(UInt64.max.dividedRoundingUp(by: 2) == 1 << 63)
    }

    @Test(arguments: [("raw", ImageFormat.raw), ("VHD", .vhd), ("vpc", .vhd), ("QCow2", .qcow2)])
    func namesOfFormatsHaveNoCase(_ row: (String, ImageFormat)) {
        #expect(ImageFormat(parsing: row.0) == row.1)
    }

    @Test(arguments: ["", "vhdx", "qcow", "raw "])
    func otherNamesAreNoFormats(_ text: String) { #expect(ImageFormat(parsing: text) == nil) }
}
