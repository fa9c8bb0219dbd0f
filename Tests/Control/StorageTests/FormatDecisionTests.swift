import CoreTypes
import StorageInterface
import StorageManagers
import StorageMotion
import Testing

@Suite struct FormatDecisionTests {
    private let manager = FileStorageManager()

    private func decide(
        _ choice: String, size: UInt64 = 64 << 20, source: ImageFormat? = .raw, preferred: String? = nil
    ) throws(FormatDecision.Refusal) -> FormatDecision.Outcome {
        try FormatDecision.decide(
            choice: choice, size: size, source: source, manager: manager,
            configuration: preferred.map { ["preferred-image-formats": $0] } ?? [:])
    }

    @Test(
        arguments: [
            ("qcow2", nil, ImageFormat.qcow2), ("QCOW2", "vhd", .qcow2), ("raw", "vhd,qcow2", .raw),
            ("", "qcow2,vhd", .qcow2),
            ("", " nonsense , QCOW2", .qcow2), ("", nil, .raw), ("vpc", nil, .vhd), (" raw , vhd", "qcow2", .raw),
        ] as [(String, String?, ImageFormat)])
    func takesTheChoiceThenThePreferenceThenTheSourcesFormat(_ row: (String, String?, ImageFormat)) throws {
        #expect(try decide(row.0, preferred: row.1).format == row.2)
    }

    @Test func aNewDiskOfAnSRThatPrefersNothingFollowsTheDriver() throws {
        #expect(try decide("", source: nil).format == .vhd)
        #expect(try decide("", size: 3 << 40, source: .vhd).format == .qcow2)
    }

    @Test func aDiskTooLargeForTheFirstFormatGetsTheNext() throws {
        let outcome = try decide("", size: 3 << 40, preferred: "vhd,qcow2")
        #expect(outcome.format == .qcow2 && outcome.size == 3 << 40)
        #expect(try decide("vhd,qcow2", size: 3 << 40).format == .qcow2)
        #expect(throws: FormatDecision.Refusal.tooLarge(limit: 2_190_433_320_960)) { try decide("vhd", size: 3 << 40) }
    }

    @Test func sizesAreRoundedAsTheFormatNeeds() throws {
        #expect(try decide("vhd", size: (2 << 20) + 1).size == 4 << 20)
        #expect(try decide("vhd", size: 0).size == 2 << 20)
        #expect(try decide("qcow2", size: 65537).size == 131_072)
        #expect(try decide("raw", size: 513).size == 1024)
    }

    @Test func anUnknownWordIsRefusedByName() {
        #expect(throws: FormatDecision.Refusal.unknown(given: "vhdx")) { try decide("qcow2,vhdx") }
    }

    @Test func nothingInCommonIsRefusedHoweverTheFormatIsChosen() throws {
        for (choice, source, preferred) in [("vhd", nil, nil), ("", .vhd, nil), ("", nil, "vhd"), ("", nil, nil)]
            as [(String, ImageFormat?, String?)]
        {
            #expect(throws: FormatDecision.Refusal.nothingInCommon) {
                try FormatDecision.decide(
                    choice: choice, size: 1, source: source, manager: manager,
                    configuration: preferred.map { ["preferred-image-formats": $0] } ?? [:], promised: [])
            }
        }
        #expect(throws: FormatDecision.Refusal.unknown(given: "vhdx")) {
            try FormatDecision.decide(
                choice: "vhdx", size: 1, source: nil, manager: manager, configuration: [:], promised: [])
        }
    }

    @Test func whatTheManagerDoesNotDeclareIsRefused() {
        #expect(throws: FormatDecision.Refusal.unsupported(.qcow2)) {
            try FormatDecision.decide(
                choice: "qcow2", size: 1, source: nil, manager: VHDOnlyManager(), configuration: [:])
        }
    }
}
