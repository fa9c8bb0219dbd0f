import APITypes
import RPCCodec
import Testing

@testable import XECommands

@Suite struct ErrorReportTests {
    private let source = "OpaqueRef:\(SamplePool.sourceUUID)"

    private func failure(_ error: APIError) async -> [String] {
        let pool = SamplePool.make()
        pool.reply(to: "SR.scan", .failure(error))
        let result = await xe("sr-scan uuid=\(SamplePool.sourceUUID)", on: pool)
        #expect(result.code == 1 && result.out.isEmpty && result.err.hasSuffix("\n"))
        return result.err.split(separator: "\n").map(String.init)
    }

    @Test func declaredErrorsHaveASentenceAndNamedParameters() async {
        let lines = await failure(APIError("SR_UNHEALTHY", source, "bad", "rest"))
        #expect(lines.count == 4 && !lines[0].isEmpty && !lines[0].contains("_"))
        #expect(lines.dropFirst() == ["sr: \(SamplePool.sourceUUID) (fast, small)", "health: bad", "fix: rest"])
    }

    @Test func surplusAndMissingParametersAreSaidToBeSo() async {
        #expect(await failure(APIError("SR_HAS_PBD", "x", "y")).dropFirst() == ["sr: x", "<extra>: y"])
        #expect(await failure(APIError("SR_FULL", "1")).dropFirst() == ["requested: 1", "maximum: <unknown>"])
    }

    @Test func classOfAReferenceMayBeTheParameterBefore() async {
        let lines = await failure(APIError("OTHER_OPERATION_IN_PROGRESS", "SR", source, "scan", "OpaqueRef:t"))
        #expect(lines[2] == "object: \(SamplePool.sourceUUID) (fast, small)")
        #expect(lines[4] == "operation_ref: OpaqueRef:t")
    }

    /// Neither the parameter's name nor the one before it is a class.
    @Test func whatAReferenceIsOfIsFoundOutWhereNothingSaysIt() async {
        let blocked = await failure(APIError("OPERATION_BLOCKED", "OpaqueRef:\(SamplePool.machineUUID)", "why"))
        #expect(blocked[1] == "ref: \(SamplePool.machineUUID) (guest)")
        let twice = await failure(APIError("MAP_DUPLICATE_KEY", "SR", "other_config", source, "a"))
        #expect(twice.contains("uuid: \(SamplePool.sourceUUID) (fast, small)"))
    }

    @Test func aLineLeavesReferencesOut() {
        let line = ErrorReport.sentence(of: APIError("VM_BAD_POWER_STATE", "OpaqueRef:1", "paused", "running"))
        #expect(line.hasSuffix(" (paused, running)"))
    }

    @Test func undeclaredErrorsAreShownAsTheyCame() async {
        #expect(await failure(APIError("ODD_THING", "a", "b")) == ["Error code: ODD_THING", "Error parameters: a, b"])
    }

    @Test(arguments: [
        ("nonsense", "Unknown command: nonsense\nFor usage run: 'xe help'\n"),
        ("vdi-create name-label=x", "Required parameter not found: sr-uuid\nFor usage run: 'xe help'\n"),
        ("vm-list -z", "Unknown switch: -z\nFor usage run: 'xe help'\n"),
    ])
    func usageErrorsNeverReachTheServer(line: String, expected: String) async {
        let pool = SamplePool.make()
        let result = await xe(line, on: pool)
        #expect(result.code == 1 && result.err == expected && result.out.isEmpty && pool.calls.isEmpty)
    }

    @Test func helpExplainsACommandInTheRecordLayout() async {
        let result = await xe("help vdi-pool-migrate", on: FakeToolstack())
        let lines = result.out.split(separator: "\n")
        #expect(lines[0] == "command name            : vdi-pool-migrate")
        #expect(lines[1] == "        reqd params     : uuid, sr-uuid")
        #expect(await xe("help nonsense", on: FakeToolstack()).code == 0)
        #expect(await xe("help --minimal", on: FakeToolstack()).out.contains("vm-list,"))
    }
}
