import RPCCodec
import Testing

@testable import XECommands

@Suite struct LayoutTests {
    @Test func recordAlignsItsColonsAndPadsTheFirstLabelOnTheRight() {
        let block = RecordLayout.block([
            (label: "uuid ( RO)", value: "4c2e..."), (label: "name-label ( RW)", value: "disk0"),
            (label: "name-description ( RW)", value: ""),
        ])
        #expect(
            block == """
                uuid ( RO)                : 4c2e...
                          name-label ( RW): disk0
                    name-description ( RW): \n\n
                """)
    }

    @Test func listPrintsDefaultColumnsAndTwoEmptyLinesAfterEachRecord() async {
        let result = await xe("vdi-list", on: SamplePool.make())
        let first = """
            uuid ( RO)                : 33333333-0000-4000-8000-000000000001
                      name-label ( RW): disk0
                name-description ( RW): \n\
                         sr-uuid ( RO): 22222222-0000-4000-8000-000000000001
                    virtual-size ( RO): 1073741824
                        sharable ( RO): false
                       read-only ( RO): false\n\n\n
            """
        #expect(result.out.hasPrefix(first))
        #expect(
            result.out.dropFirst(first.count).hasPrefix(
                "uuid ( RO)                : 33333333-0000-4000-8000-000000000002\n"))
        #expect(result.out.hasSuffix("false\n\n\n"))
        #expect(result.code == 0 && result.err.isEmpty)
    }

    @Test func columnsComeInTheOrderOfTheFamilyAndUnknownOnesAreIgnored() async {
        let result = await xe("sr-list params=type,nonsense,uuid,host name-label=slow", on: SamplePool.make())
        #expect(
            result.out == """
                uuid ( RO)    : 22222222-0000-4000-8000-000000000002
                    host ( RO): <shared>
                    type ( RO): file\n\n\n
                """)
    }

    @Test func emptyListPrintsNothing() async {
        let result = await xe("vbd-list", on: SamplePool.make())
        #expect(result.out.isEmpty && result.err.isEmpty && result.code == 0)
    }

    @Test(arguments: [
        ("sr-list params=name-label", "fast\\, small,slow\n"),
        ("vm-list", "44444444-0000-4000-8000-000000000001\n"),
        ("sr-list params=host name-label=slow", "<shared>\n"),
        ("vbd-list", "\n"),
        ("sr-param-get uuid=22222222-0000-4000-8000-000000000001 param-name=name-label", "fast\\, small\n"),
    ])
    func minimalIsOneLineWithTheFirstFieldOfEach(line: String, expected: String) async {
        #expect(await xe("\(line) --minimal", on: SamplePool.make()).out == expected)
    }

    @Test func minimalEscapesCommasAndBackslashes() {
        #expect(RecordLayout.minimal(["a,b", "c\\d", ""]) == "a\\,b,c\\\\d,")
    }

    @Test(arguments: [
        ("vdi", SamplePool.diskUUID, "tags", "gold; db"),
        ("vdi", SamplePool.diskUUID, "other-config", "owner: me; colour: blue"),
        ("vdi", SamplePool.diskUUID, "type", "User"),
        ("vdi", SamplePool.diskUUID, "parent", "<not in database>"),
        ("vdi", SamplePool.diskUUID, "snapshot-of", "<not in database>"),
        ("vdi", SamplePool.diskUUID, "snapshot-time", "19700101T00:00:00Z"),
        ("vdi", SamplePool.diskUUID, "sr-name-label", "fast, small"),
        ("vdi", SamplePool.diskUUID, "sharable", "false"),
        ("sr", SamplePool.sourceUUID, "host", "alpha"),
        ("sr", SamplePool.sourceUUID, "allowed-operations", "scan; VDI.create; PBD.create"),
        ("sr", SamplePool.sourceUUID, "current-operations", "VDI.mirror"),
        ("sr", SamplePool.sourceUUID, "PBDs", "55555555-0000-4000-8000-000000000001"),
        ("vm", SamplePool.machineUUID, "power-state", "halted"),
        ("vm", SamplePool.machineUUID, "HVM-shadow-multiplier", "1.000"),
        ("vm", SamplePool.machineUUID, "os-version", "<not in database>"),
        ("pool", "00000000-0000-4000-8000-000000000001", "master", SamplePool.hostUUID),
    ])
    func valuesAreSpelledAsTheCommandLineDoes(family: String, uuid: String, field: String, expected: String) async {
        let result = await xe("\(family)-param-get uuid=\(uuid) param-name=\(field)", on: SamplePool.make())
        #expect(result.out == expected + "\n")
    }

    @Test func expensiveFieldsAreOnlyComputedForOneObject() async {
        let pool = SamplePool.make()
        pool.reply(to: "VM.get_possible_hosts", .success(.array([.string("OpaqueRef:\(SamplePool.hostUUID)")])))
        let list = await xe("vm-list params=possible-hosts", on: pool)
        #expect(list.out == "possible-hosts ( RO)    : <expensive field>\n\n\n")
        #expect(!pool.calls.contains { $0.contains("possible_hosts") })
        let one = await xe("vm-param-get uuid=\(SamplePool.machineUUID) param-name=possible-hosts", on: pool)
        #expect(one.out == SamplePool.hostUUID + "\n")
    }

    @Test func paramListHasEveryVisibleFieldWithItsMarker() async {
        let result = await xe("vdi-param-list uuid=\(SamplePool.diskUUID)", on: SamplePool.make())
        let labels = result.out.split(separator: "\n").map { line in
            line.prefix { $0 != ":" }.split(separator: " ").joined(separator: " ")
        }
        #expect(labels.count == Family.vdi.fields.count)
        #expect(labels.contains("parent ( RO) [DEPRECATED]"))
        #expect(labels.contains("tags (SRW)"))
        #expect(labels.contains("sm-config (MRO)"))
    }
}
