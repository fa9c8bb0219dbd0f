import Testing

@testable import Toolstack

@Suite struct ManagerFeaturesTests {
    private let hosts: Set<String> = ["a", "b"]

    @Test func aLoneHostDecides() {
        var state = ManagerFeatures()
        state.report(["X": 1, "Y": 2], formats: ["vhd"], from: "a", hosts: ["a"])
        #expect(state.offered == ["X": 1, "Y": 2] && state.pending.isEmpty && state.commonFormats == ["vhd"])
        state.report(["X": 2], formats: ["vhd", "qcow2"], from: "a", hosts: ["a"])
        #expect(state.offered == ["X": 2] && state.commonFormats == ["vhd", "qcow2"])
    }

    /// What one host gained waits for the other; what one lost is gone at once.
    @Test func aPoolPromisesWhatAllHostsHave() {
        var state = ManagerFeatures(offered: ["X": 1])
        state.report(["X": 1, "Y": 2, "Z": 1], formats: ["vhd", "qcow2"], from: "a", hosts: hosts)
        #expect(state.offered == ["X": 1] && state.pending == ["a": ["Y": 2, "Z": 1]])
        state.report(["X": 1, "Y": 1], formats: ["vhd"], from: "b", hosts: hosts)
        #expect(state.offered == ["X": 1, "Y": 1] && state.commonFormats == ["vhd"])
        #expect(state.pending == ["a": ["Y": 2, "Z": 1], "b": [:]])
        state.report(["Y": 1], formats: ["vhd", "qcow2"], from: "b", hosts: hosts)
        #expect(state.offered == ["Y": 1] && state.commonFormats == ["vhd", "qcow2"])
    }

    @Test func aHostThatLeftIsForgotten() {
        var state = ManagerFeatures()
        state.report(["X": 1], formats: ["vhd"], from: "gone", hosts: ["gone", "a"])
        state.report(["X": 1], formats: ["raw"], from: "a", hosts: ["a"])
        #expect(state.offered == ["X": 1] && state.pending.isEmpty && state.commonFormats == ["raw"])
    }

    @Test func aDriverThatDeclaresNoFormatPromisesNone() {
        var state = ManagerFeatures()
        state.report([:], formats: [], from: "a", hosts: hosts)
        state.report([:], formats: ["vhd"], from: "b", hosts: hosts)
        #expect(state.commonFormats == [])
    }

    @Test func pendingFeaturesAreStoredAsTexts() {
        #expect(ManagerFeatures.text(["B": 2, "A": 1]) == ["A/1", "B/2"])
        #expect(ManagerFeatures.features(["A", "B/2", "C/x", "D/0", ""]) == ["A": 1, "B": 2, "C": 1, "D": 1])
    }
}
