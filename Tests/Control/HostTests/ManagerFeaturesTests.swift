import Testing

@testable import Toolstack

@Suite struct ManagerFeaturesTests {
    private let hosts: Set<String> = ["a", "b"]

    @Test func aLoneHostDecides() {
        var state = ManagerFeatures()
        state.report(["X": 1, "Y": 2], formats: ["vhd"], from: "a", hosts: ["a"])
        #expect(state.offered == ["X": 1, "Y": 2] && state.pending.isEmpty && state.offeredFormats == ["vhd"])
        state.report(["X": 2], formats: ["vhd", "qcow2"], from: "a", hosts: ["a"])
        #expect(state.offered == ["X": 2] && state.offeredFormats == ["vhd", "qcow2"])
    }

    /// What one host gained waits for the other; what one lost is gone at once.
    @Test func aPoolPromisesWhatAllHostsHave() {
        var state = ManagerFeatures(offered: ["X": 1])
        state.report(["X": 1, "Y": 2, "Z": 1], formats: ["vhd", "qcow2"], from: "a", hosts: hosts)
        #expect(state.offered == ["X": 1] && state.pending == ["a": ["Y": 2, "Z": 1]])
        // Nothing was declared before: that nobody else has spoken is no lack.
        #expect(state.offeredFormats == ["vhd", "qcow2"])
        state.report(["X": 1, "Y": 1], formats: ["vhd"], from: "b", hosts: hosts)
        #expect(state.offered == ["X": 1, "Y": 1] && state.offeredFormats == ["vhd"])
        #expect(state.pending == ["a": ["Y": 2, "Z": 1], "b": [:]])
        state.report(["Y": 1], formats: ["vhd", "qcow2"], from: "b", hosts: hosts)
        #expect(state.offered == ["Y": 1] && state.offeredFormats == ["vhd", "qcow2"])
    }

    /// A format is gone when one host lacks it, and comes when the last has it; a host that has not spoken gains nothing.
    @Test func formatsComeAndGoAsFeaturesDo() {
        var state = ManagerFeatures(offeredFormats: ["vhd", "raw"])
        state.report([:], formats: ["vhd", "qcow2"], from: "a", hosts: hosts)
        #expect(state.offeredFormats == ["vhd"])
        state.report([:], formats: ["vhd", "raw"], from: "b", hosts: hosts)
        #expect(state.offeredFormats == ["vhd"])
        state.report([:], formats: ["vhd", "raw", "qcow2"], from: "b", hosts: hosts)
        #expect(state.offeredFormats == ["vhd", "qcow2"])
        state.report([:], formats: ["vhd", "raw", "qcow2"], from: "b", hosts: hosts.union(["c"]))
        #expect(state.offeredFormats == ["vhd", "qcow2"])
        state.report([:], formats: ["raw"], from: "c", hosts: hosts.union(["c"]))
        #expect(state.offeredFormats == [])
    }

    @Test func nothingInCommonIsNotNothingDeclared() {
        var state = ManagerFeatures()
        func lack(_ state: ManagerFeatures) -> String? { state.lackOfFormats(among: hosts) { $0.uppercased() } }
        state.report([:], formats: [], from: "a", hosts: hosts)
        #expect(lack(state) == nil)
        state.report([:], formats: [], from: "b", hosts: hosts)
        #expect(lack(state) == nil)
        state.report([:], formats: ["vhd", "raw"], from: "b", hosts: hosts)
        #expect(lack(state) == "host A: none declared; host B: raw, vhd")
        state.report([:], formats: ["vhd"], from: "a", hosts: hosts)
        #expect(state.offeredFormats == ["vhd"] && lack(state) == nil)
        state.report([:], formats: ["qcow2"], from: "a", hosts: hosts)
        #expect(lack(state) == "host A: qcow2; host B: raw, vhd")
        var fresh = ManagerFeatures()
        fresh.report([:], formats: ["raw"], from: "a", hosts: hosts)
        #expect(lack(fresh) == nil && fresh.offeredFormats == ["raw"])
        fresh.report([:], formats: ["vhd"], from: "a", hosts: hosts)
        #expect(lack(fresh) == "host A: vhd; host B: not started since")
    }

    @Test func aHostThatLeftIsForgotten() {
        var state = ManagerFeatures()
        state.report(["X": 1], formats: ["vhd"], from: "gone", hosts: ["gone", "a"])
        state.report(["X": 1], formats: ["raw"], from: "a", hosts: ["a"])
        #expect(state.offered == ["X": 1] && state.pending.isEmpty && state.offeredFormats == ["raw"])
    }

    @Test func aDriverThatDeclaresNoFormatPromisesNone() {
        var state = ManagerFeatures()
        state.report([:], formats: [], from: "a", hosts: hosts)
        state.report([:], formats: ["vhd"], from: "b", hosts: hosts)
        #expect(state.offeredFormats == [])
    }

    @Test func pendingFeaturesAreStoredAsTexts() {
        #expect(ManagerFeatures.text(["B": 2, "A": 1]) == ["A/1", "B/2"])
        #expect(ManagerFeatures.features(["A", "B/2", "C/x", "D/0", ""]) == ["A": 1, "B": 2, "C": 1, "D": 1])
    }
}
