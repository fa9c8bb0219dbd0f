import Testing
import XenAPIClient

@testable import QuickTests

@Suite struct QuickSelectionTests {
    private let full = RepositoryFacts(
        ref: "a", uuid: "ua", name: "one", type: "file", operations: ["vdi_create", "vdi_clone"],
        features: ["VDI_SNAPSHOT", "VDI_CLONE", "VDI_RESIZE", "VDI_CONFIG_CBT", "VDI_MIRROR"],
        formats: ["vhd", "qcow2"])
    private let old = RepositoryFacts(
        ref: "b", uuid: "ub", name: "two", type: "ext", operations: ["vdi_create"],
        features: ["VDI_MIRROR", "VDI_SNAPSHOT"], formats: nil)
    private let discs = RepositoryFacts(
        ref: "c", uuid: "uc", name: "discs", type: "iso", operations: ["scan"], features: [], formats: ["iso"])

    @Test func everyDirectionIsAPathAndNoMoveToTheSamePlaceIs() {
        let paths = MigrationPath.all(among: [full, old], RepositoryFilter()).map(\.description)
        #expect(
            paths == [
                "one/vhd -> one/qcow2", "one/vhd -> two", "one/qcow2 -> one/vhd", "one/qcow2 -> two",
                "two -> one/vhd", "two -> one/qcow2", "two -> one",
            ])
        var other = full
        (other.ref, other.name) = ("d", "three")
        let formats = MigrationPath.all(among: [full, other], RepositoryFilter(formats: ["VHD"]))
        #expect(
            formats.map(\.description) == [
                "one/vhd -> three/vhd", "one/vhd -> three", "three/vhd -> one/vhd", "three/vhd -> one",
            ])
        #expect(MigrationPath.all(among: [old], RepositoryFilter()).isEmpty)
    }

    /// From each format here to each there and to what is chosen there; never back, and not within the other pool.
    @Test func everyDirectionToAnotherPoolIsAPath() throws {
        var far = old
        (far.ref, far.name, far.operations) = ("x", "far", ["vdi_create"])
        let other = OtherPool(repositories: [far, discs], filter: RepositoryFilter())
        let paths = MigrationPath.all(from: [full], RepositoryFilter(), to: other)
        #expect(paths.map(\.description) == ["one/vhd -> other pool: far", "one/qcow2 -> other pool: far"])
        #expect(
            MigrationPath.all(
                from: [old], RepositoryFilter(), to: OtherPool(repositories: [full], filter: RepositoryFilter())
            )
            .map(\.description) == [
                "two -> other pool: one/vhd", "two -> other pool: one/qcow2", "two -> other pool: one",
            ])
        let plan = try CasePlan.make([full], filter: RepositoryFilter(), matching: "other pool", other: other)
        #expect(
            plan.map(\.test.name) == [
                "VM.migrate_send [one/vhd -> other pool: far]", "VM.migrate_send [one/qcow2 -> other pool: far]",
                "VM.migrate_send copy=true [one/vhd -> other pool: far]",
                "VM.migrate_send copy=true [one/qcow2 -> other pool: far]",
            ])
        #expect(plan.allSatisfy { $0.skip == nil })
        let nothing = OtherPool(repositories: [far], filter: RepositoryFilter(names: ["elsewhere"]))
        let skipped = try CasePlan.make([full], filter: RepositoryFilter(), matching: "another pool", other: nothing)
        #expect(skipped.map { $0.skip != nil } == [true])
    }

    @Test func aRepositoryMeetsEveryPartOfAFilter() {
        let all = [full, old, discs]
        func admitted(_ filter: RepositoryFilter) -> [String] { all.filter(filter.admits).map(\.name) }
        #expect(admitted(RepositoryFilter()) == ["one", "two", "discs"])
        #expect(admitted(RepositoryFilter(names: ["ub", "discs"])) == ["two", "discs"])
        #expect(RepositoryFilter(names: ["ub", "x", "ONE"]).unknownNames(among: [full, old, discs]) == ["x", "ONE"])
        #expect(admitted(RepositoryFilter(types: ["iso", "ext"])) == ["two", "discs"])
        #expect(admitted(RepositoryFilter(features: ["VDI_MIRROR", "VDI_CLONE"])) == ["one"])
        #expect(admitted(RepositoryFilter(operations: ["vdi_create"])) == ["one", "two"])
        // Where formats are not told, each may be there.
        #expect(admitted(RepositoryFilter(formats: ["qcow2"])) == ["one", "two"])
        #expect(admitted(RepositoryFilter(names: ["one"], types: ["ext"])) == [])
    }

    @Test func whatARepositoryLacksIsSkippedByName() throws {
        let plan = try CasePlan.make([full, old, discs], filter: RepositoryFilter())
        let skips = Dictionary(uniqueKeysWithValues: plan.map { ($0.test.name, $0.skip) })
        #expect(skips.count == plan.count)
        #expect(skips["VDI.clone [one/vhd]"] == .some(nil))
        #expect(skips["VDI.clone [two]"]??.contains("'ext' does not have the feature VDI_CLONE") == true)
        #expect(skips["VDI.list_changed_blocks [two]"]??.contains("VDI_CONFIG_CBT") == true)
        #expect(skips["export and import as qcow2 [one/vhd]"] == .some(nil))
        #expect(skips["export and import as qcow2 [two]"]??.contains("supported_image_formats") == true)
        #expect(skips["repository [discs]"]??.contains("vdi_create") == true)
        #expect(!plan.contains { $0.skip == nil && $0.test.name.contains("discs") })
        #expect(skips["VDI.pool_migrate [two -> one/vhd]"] == .some(nil))
        var still = full
        still.features.remove("VDI_MIRROR")
        let fixed = try CasePlan.make([still, old], filter: RepositoryFilter(), matching: "migrate.*one/vhd -> two")
        #expect(fixed.map { $0.skip?.contains("VDI_MIRROR") } == [true, true])
        // Nor does one go where none is taken.
        var closed = old
        closed.features.remove("VDI_MIRROR")
        let into = try CasePlan.make([full, closed], filter: RepositoryFilter(), matching: "migrate.*one/vhd -> two")
        #expect(into.map { $0.skip?.contains("VDI_MIRROR_IN or VDI_MIRROR") } == [true, true])
        closed.features.insert("VDI_MIRROR_IN")
        let open = try CasePlan.make([full, closed], filter: RepositoryFilter(), matching: "migrate.*one/vhd -> two")
        #expect(open.map(\.skip) == [nil, nil])
        // A VM goes each way that a disk goes.
        func ways(_ name: String) -> [String] {
            plan.map(\.test.name).filter { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
        }
        #expect(ways("VM.migrate_send ") == ways("VDI.pool_migrate ") && ways("VM.migrate_send ").count == 7)
    }

    @Test func aFilterTakesCasesByTheirNames() throws {
        let plan = try CasePlan.make([full, old], filter: RepositoryFilter(), matching: #"^VDI\.(clone|copy) \[one"#)
        #expect(
            plan.map(\.test.name) == [
                "VDI.clone [one/vhd]", "VDI.copy [one/vhd]", "VDI.clone [one/qcow2]", "VDI.copy [one/qcow2]",
            ])
        #expect(throws: (any Error).self) {
            _ = try CasePlan.make([full], filter: RepositoryFilter(), matching: "(")
        }
        let lonely = try CasePlan.make([old], filter: RepositoryFilter(), matching: "migrate")
        #expect(lonely.map(\.test.name) == ["VDI.pool_migrate", "VM.migrate_send"])
        #expect(lonely.allSatisfy { $0.skip != nil })
    }

    @Test func repositoriesOfOneNameAreToldApart() {
        var twin = old
        (twin.ref, twin.uuid, twin.name) = ("d", "ud", "one")
        #expect(RepositoryFacts.distinguished([twin, full, old]).map(\.name) == ["one (ua)", "one (ud)", "two"])
    }

    @Test func onlyDisksWithMarkAndNameAreRemoved() {
        let mark = RunMark(run: "r")
        #expect(mark.covers(name: RunMark.name, otherConfig: [RunMark.key: "r"]))
        #expect(!mark.covers(name: RunMark.name, otherConfig: [RunMark.key: "s"]))
        #expect(!mark.covers(name: "root", otherConfig: [RunMark.key: "r"]))
        #expect(!mark.covers(name: RunMark.name, otherConfig: [:]))
        #expect(RunMark(run: "").covers(name: RunMark.name, otherConfig: [RunMark.key: "s"]))
        #expect(!RunMark(run: "").covers(name: RunMark.name, otherConfig: [:]))
    }

    @Test func optionsThatContradictAreRefused() throws {
        for words in [
            [], ["--url", "ftp://h"], ["--host", "h", "--socket", "/s"], ["--host", "h", "--port", "0"],
            ["--host", "h", "--ca", "f", "--insecure"], ["--host", "h", "--filter", "("],
            ["--host", "h", "--size", "1"],
            ["--url", "https://user@h"], ["--host", "h", "--fingerprint", "12"],
            ["--host", "h", "--to", "ftp://h"], ["--host", "h", "--to-password", "p"], ["--host", "h", "--to-sr", "s"],
            ["--host", "h", "--to", "https://g", "--to-password", "p", "--to-password-file", "f"],
            ["--host", "h", "--to", "https://g", "--to-ca", "f", "--to-insecure"],
        ] {
            #expect(throws: (any Error).self) { _ = try QuickTestOptions.reading(words) }
        }
        #expect(try QuickTestOptions.reading(["--url", "https://[::1]:8443/"]).address.description == "[::1]:8443")
        let plain = try QuickTestOptions.reading(["--host", "h", "--no-tls"]).address
        #expect(plain == .tcp(host: "h", port: 80, tls: false))
        #expect(try QuickTestOptions.reading(["--host", "h"]).certificates == .system)
        let two = try QuickTestOptions.reading([
            "--host", "h", "--sr", "a", "--format", "vhd", "--to", "https://g", "--to-user", "u", "--to-password", "p",
            "--to-sr", "b", "--to-insecure",
        ])
        #expect(try two.otherAddress == .tcp(host: "g", port: 443, tls: true))
        #expect(try (two.toUser, two.otherSecret) == ("u", "p"))
        #expect(try (two.certificates, two.otherCertificates) == (.system, .unchecked))
        #expect(two.otherRepositories == RepositoryFilter(names: ["b"], formats: ["vhd"]))
        #expect(try QuickTestOptions.reading(["--host", "h"]).otherAddress == nil)
    }
}
