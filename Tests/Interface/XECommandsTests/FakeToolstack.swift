import APITypes
import RPCCodec
import Synchronization
import XECommands
import XenAPIClient

/// A pool in memory that answers the generic messages of its records and notes every call.
final class FakeToolstack: XenAPICaller {
    typealias Record = [(name: String, value: WireValue)]

    private struct State {
        /// By class, in order.
        var objects: [String: [(ref: String, record: WireValue)]] = [:]
        var replies: [String: [Result<WireValue, APIError>]] = [:]
        var calls: [String] = []
    }
    private let state = Mutex(State())

    /// Puts an object in; its reference is `OpaqueRef:<uuid>`, which is returned.
    @discardableResult
    func add(_ className: String, uuid: String, _ members: Record) -> String {
        let ref = "OpaqueRef:\(uuid)"
        let record = WireValue.members([("uuid", .string(uuid))] + members)
        state.withLock { $0.objects[className, default: []].append((ref, record)) }
        return ref
    }

    /// What the next calls of `method` answer, one after the other; the last answer is repeated.
    func reply(to method: String, _ replies: Result<WireValue, APIError>...) {
        state.withLock { $0.replies[method] = replies }
    }

    /// The calls made so far that are no reads, as `Class.message(p1, p2)`.
    var changes: [String] { state.withLock { $0.calls.filter { !$0.contains(".get_") && !$0.contains("event.from") } } }
    var calls: [String] { state.withLock { $0.calls } }

    func call(_ method: String, _ parameters: [WireValue]) async throws -> WireValue {
        try state.withLock { state throws(APIError) in
            state.calls.append("\(method)(\(parameters.map(Self.describe).joined(separator: ", ")))")
            if var replies = state.replies[method], let reply = replies.first {
                if replies.count > 1 { replies.removeFirst() }
                state.replies[method] = replies
                return try reply.get()
            }
            return try Self.generic(method, parameters, state)
        }
    }

    private static func generic(
        _ method: String, _ parameters: [WireValue], _ state: State
    ) throws(APIError) -> WireValue {
        let parts = method.split(separator: ".")
        let className = String(parts[0])
        let objects = state.objects[className] ?? []
        let argument = parameters.first?.text ?? ""
        switch parts[1] {
        case "get_all_records":
            return .structure(objects.map { WireMember($0.ref, $0.record) })
        case "get_by_uuid":
            guard let found = objects.first(where: { $0.record["uuid"]?.text == argument }) else {
                throw .uuidInvalid(className, argument)
            }
            return .string(found.ref)
        case let name where name.hasPrefix("get_"):
            guard let found = objects.first(where: { $0.ref == argument }) else {
                throw .handleInvalid(className, argument)
            }
            if name == "get_record" { return found.record }
            return found.record[String(name.dropFirst(4))] ?? .string("")
        default:
            return .void
        }
    }

    /// A call's argument as the tests write it.
    private static func describe(_ value: WireValue) -> String {
        switch value {
        case .structure(let members):
            "{" + members.map { "\($0.name): \(describe($0.value))" }.joined(separator: ", ") + "}"
        case .array(let items): "[" + items.map(describe).joined(separator: ", ") + "]"
        case .string(let text): "'\(text)'"
        default: value.printed
        }
    }

    func endSession(_ ref: String) async { state.withLock { $0.calls.append("the session \(ref) is ended") } }

    func upload(
        file: String, to path: String, query: [(name: String, value: String)],
        onProgress: @escaping @Sendable (_ done: UInt64, _ total: UInt64) -> Void
    ) async throws -> String? {
        note("PUT \(path) \(file)", query)
        onProgress(1 << 20, 1 << 20)
        return nil
    }

    func download(
        from path: String, query: [(name: String, value: String)], to file: String,
        confirm: @Sendable () async throws -> Void, onProgress: @escaping @Sendable (_ done: UInt64) -> Void
    ) async throws -> String? {
        note("GET \(path) \(file)", query)
        try await confirm()
        return nil
    }

    private func note(_ transfer: String, _ query: [(name: String, value: String)]) {
        let text = query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        state.withLock { $0.calls.append("\(transfer) \(text)") }
    }
}

/// What a command printed.
final class RecordedOutput: CommandOutput {
    private let streams = Mutex<(out: String, err: String)>(("", ""))
    let errorIsTerminal: Bool
    let errorColumns = 100

    init(errorIsTerminal: Bool = false) { self.errorIsTerminal = errorIsTerminal }

    func printLine(_ text: String) { streams.withLock { $0.out += text + "\n" } }
    func printError(_ text: String) { streams.withLock { $0.err += text } }

    var out: String { streams.withLock { $0.out } }
    var err: String { streams.withLock { $0.err } }
}

/// Runs one command line against `toolstack` and returns what came of it.
func xe(
    _ line: String, on toolstack: FakeToolstack, terminal: Bool = false
) async -> (code: Int32, out: String, err: String) {
    let output = RecordedOutput(errorIsTerminal: terminal)
    let words = line.split(separator: " ").map(String.init)
    let code = await CommandRunner(output: output).run(words) { toolstack }
    return (code, output.out, output.err)
}
