import Synchronization
import Testing
import XenAPIClient

/// Notes calls and answers them all with one value.
final class Recorder: XenAPICaller {
    struct Call: Hashable, Sendable {
        let method: String
        let parameters: [WireValue]
    }
    private let made = Mutex<[Call]>([])
    private let answer: WireValue

    init(answer: WireValue = .void) { self.answer = answer }

    var calls: [Call] { made.withLock { $0 } }

    func call(_ method: String, _ parameters: [WireValue]) async throws -> WireValue {
        made.withLock { $0.append(Call(method: method, parameters: parameters)) }
        return answer
    }

    func endSession(_ ref: String) async {}

    func upload(
        file: String, to path: String, query: [(name: String, value: String)],
        onProgress: @escaping @Sendable (UInt64, UInt64) -> Void
    ) async throws -> String? { nil }

    func download(
        from path: String, query: [(name: String, value: String)], to file: String,
        confirm: @Sendable () async throws -> Void, onProgress: @escaping @Sendable (UInt64) -> Void
    ) async throws -> String? { nil }
}

@Suite struct MessageTests {
    private let disk = Ref<VDI>("OpaqueRef:d")

    @Test func messagesTravelUnderTheirWireNamesWithTheirParameters() async throws {
        let server = Recorder(answer: .string("OpaqueRef:t"))
        let moved = try await server.vdi.poolMigrate(disk, sr: Ref("OpaqueRef:s"), options: ["a": "b"])
        #expect(moved == Ref("OpaqueRef:t"))
        let task = try await server.vm.asyncStart(Ref("OpaqueRef:v"), startPaused: true, force: false)
        #expect(task.ref == Ref("OpaqueRef:t"))
        try await server.vdi.destroy(disk)
        #expect(
            server.calls == [
                Recorder.Call(
                    method: "VDI.pool_migrate",
                    parameters: [
                        .string("OpaqueRef:d"), .string("OpaqueRef:s"), .members([("a", .string("b"))]),
                    ]),
                Recorder.Call(
                    method: "Async.VM.start", parameters: [.string("OpaqueRef:v"), .bool(true), .bool(false)]),
                Recorder.Call(method: "VDI.destroy", parameters: [.string("OpaqueRef:d")]),
            ])
    }

    @Test func fieldsAreReadAndWrittenByTheirWireNames() async throws {
        let server = Recorder(answer: .string("9"))
        #expect(try await server.vdi.get(\.virtualSize, of: disk) == 9)
        try await server.vdi.set(\.nameLabel, of: disk, to: "x")
        try await server.vdi.add(to: \.otherConfig, of: disk, key: "k", value: "v")
        try await server.vdi.remove(from: \.otherConfig, of: disk, key: "k")
        try await server.vdi.add(to: \.tags, of: disk, "t")
        try await server.vdi.remove(from: \.tags, of: disk, "t")
        #expect(
            server.calls.map(\.method) == [
                "VDI.get_virtual_size", "VDI.set_name_label", "VDI.add_to_other_config", "VDI.remove_from_other_config",
                "VDI.add_tags", "VDI.remove_tags",
            ])
        #expect(server.calls.map(\.parameters.count) == [1, 2, 3, 2, 2, 2])
        // An enum keeps what it does not know, as a field as in a record.
        #expect(try await Recorder(answer: .string("hologram")).vdi.get(\.type, of: disk) == .unknown("hologram"))
    }

    /// Older servers do not have the newest parameters: those that say what is assumed anyway are left out.
    @Test func trailingDefaultsAreNotSent() async throws {
        let server = Recorder(answer: .string("OpaqueRef:n"))
        _ = try await server.vdi.snapshot(disk)
        _ = try await server.vdi.snapshot(disk, driverParams: ["a": "b"])
        _ = try await server.vdi.copy(disk, sr: .null, baseVDI: .null, intoVDI: Ref("OpaqueRef:i"))
        _ = try await server.vdi.copy(disk, sr: Ref("OpaqueRef:s"))
        #expect(server.calls.map(\.parameters.count) == [1, 2, 4, 2])
    }

    @Test func anAnswerOfAnotherTypeNamesTheMessage() async throws {
        await #expect(throws: WireMismatch(expected: "a set", in: "VDI.get_all")) {
            try await Recorder(answer: .string("x")).vdi.getAll()
        }
        await #expect(throws: WireMismatch(expected: "a record", in: "VDI.get_record.VDI")) {
            try await Recorder(answer: .string("x")).vdi.getRecord(disk)
        }
    }

    @Test func failuresAreReadByNameThoughParametersMayBeMissing() {
        #expect(XenAPIFailure("VDI_IN_USE", "OpaqueRef:d", "destroy").reason == .diskInUse(disk))
        #expect(XenAPIFailure("HANDLE_INVALID").reason == .noSuchObject(className: "", ref: ""))
        #expect(
            XenAPIFailure("SR_BACKEND_FAILURE_46", "", "VDIUnavailable", "x").reason
                == .storage(number: 46, reason: "VDIUnavailable", detail: "x"))
        #expect(XenAPIFailure("SR_BACKEND_FAILURE_44").reason == .noSpace)
        #expect(XenAPIFailure("NEW_CODE", "a").reason == .other(code: "NEW_CODE", parameters: ["a"]))
        #expect(XenAPIFailure("NEW_CODE").knownCode == nil)
        #expect(XenAPIFailure(.vdiInUse).knownCode == .vdiInUse)
        #expect(XenAPIErrorCode.srFull ~= XenAPIFailure("SR_FULL") && !(XenAPIErrorCode.srFull ~= XenAPIFailure("X")))
        #expect(XenAPIErrorCode.allCases.allSatisfy { APIError($0.rawValue).knownCode == $0 })
    }
}
