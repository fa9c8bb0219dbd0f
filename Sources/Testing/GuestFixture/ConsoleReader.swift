import CLinux
import Foundation
import Synchronization

/// Reads a guest's serial console from its socket on a thread of its own, and lets tests wait for what it says.
/// The end of the guest, or a panic of its kernel, ends every wait with an error that quotes the last lines.
public final class ConsoleReader: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private struct State {
        var lines: [String] = []
        var first: GuestCounts?
        var latest: GuestCounts?
        var verified: GuestCounts?
        var final: GuestCounts?
        /// Why nothing more will come.
        var over: String?
        var waiting: [(look: @Sendable (State) -> Bool, CheckedContinuation<Void, Never>)] = []
    }
    /// Closed when neither the reader nor its thread uses it.
    private final class Socket: Sendable {
        let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }
    private let state = Mutex(State())
    private let socket: Socket

    /// Connects to `path` (`GuestHost.consolePath`).
    public init(path: String) throws {
        let descriptor = unsafe path.withCString { unsafe gantry_unix_connect($0) }
        guard descriptor >= 0 else { throw Failure(description: "no console at \(path): errno \(-descriptor)") }
        let socket = Socket(descriptor)
        self.socket = socket
        let thread = Thread { [weak self] in
            // The thread keeps no reference while it waits: letting the reader go ends it.
            Self.read(socket.descriptor) { self?.take($0) }
            self?.finish("the console was closed")
        }
        thread.start()
    }

    deinit { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }

    // MARK: What tests ask

    /// The newest numbers; nil before the first.
    public var latest: GuestCounts? { state.withLock { $0.latest } }
    /// The numbers of the guest's last words; nil before it stops.
    public var final: GuestCounts? { state.withLock { $0.final } }
    /// The last lines, at most 2000.
    public var lines: [String] { state.withLock { $0.lines } }

    /// Waits until the guest has written `writes` records, and returns its numbers then.
    @discardableResult
    public func waitFor(writes: Int) async throws -> GuestCounts {
        try await wait("\(writes) writes") {
            $0.latest
        } until: {
            $0.latest.map { $0.writes >= writes } ?? false
        }
    }

    /// Waits for the first numbers that were read here, and returns those, whatever was read since.
    @discardableResult
    public func waitForFirst() async throws -> GuestCounts {
        try await wait("the first numbers") {
            $0.first
        } until: {
            $0.first != nil
        }
    }

    /// Waits until the guest has written `more` records beyond what it had when this was called.
    @discardableResult
    public func waitFor(moreWrites more: Int) async throws -> GuestCounts {
        try await waitFor(writes: (latest?.writes ?? 0) + more)
    }

    /// Waits until `occurrences` of all lines so far contain `text`, and returns the last of them.
    @discardableResult
    public func waitFor(line text: String, occurrences: Int = 1) async throws -> String {
        try await wait("a line with “\(text)”") {
            $0.lines.last { $0.contains(text) }
        } until: { state in
            state.lines.count { $0.contains(text) } >= occurrences
        }
    }

    /// Waits for the guest's last words and returns its numbers.
    @discardableResult
    public func waitForFinal() async throws -> GuestCounts {
        try await wait("the final numbers") {
            $0.final
        } until: {
            $0.final != nil
        }
    }

    /// Has the guest check all its records now, and returns its numbers after that.
    public func verify() async throws -> GuestCounts {
        state.withLock { $0.verified = nil }
        try send("verify")
        return try await wait("a verification") {
            $0.verified
        } until: {
            $0.verified != nil
        }
    }

    /// Types a line on the console: `stop` or `verify`.
    public func send(_ line: String) throws {
        let bytes = Array((line + "\n").utf8)
        // SAFETY: the buffer is the array's own.
        let sent = unsafe bytes.withUnsafeBytes { unsafe gantry_send(socket.descriptor, $0.baseAddress, $0.count) }
        guard sent == Int64(bytes.count) else { throw Failure(description: "cannot type on the console") }
    }

    // MARK: Waiting

    private func wait<Value>(
        _ what: String, _ get: (State) -> Value?, until look: @escaping @Sendable (State) -> Bool
    ) async throws -> Value {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                if state.over != nil || look(state) { return true }
                state.waiting.append((look, continuation))
                return false
            }
            if ready { continuation.resume() }
        }
        let (value, over, lines) = state.withLock { state in
            (look(state) ? get(state) : nil, state.over, state.lines.suffix(12))
        }
        guard let value else {
            throw Failure(
                description: "\(over ?? "the guest went on") while waiting for \(what); it had said:\n"
                    + lines.joined(separator: "\n"))
        }
        return value
    }

    private func change(_ body: (inout State) -> Void) {
        let ready = state.withLock { state in
            body(&state)
            let over = state.over != nil
            let now = state
            let ready = state.waiting.filter { over || $0.look(now) }.map(\.1)
            state.waiting.removeAll { over || $0.look(now) }
            return ready
        }
        for each in ready { each.resume() }
    }

    // MARK: Reading

    private static func read(_ socket: Int32, _ take: (String) -> Void) {
        var rest: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            // SAFETY: receives into the array's own storage, at most its count.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe gantry_receive(socket, $0.baseAddress, $0.count) }
            if count == -Int64(EINTR) { continue }
            guard count > 0 else { return }
            rest += chunk[..<Int(count)]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeFirst(end + 1)
                take(line.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            if rest.count > 64 << 10 { rest = [] }
        }
    }

    private func take(_ line: String) {
        let words = line.split(separator: " ")[...]
        change { state in
            state.lines.append(line)
            if state.lines.count > 2000 { state.lines.removeFirst(1000) }
            if line.contains("Kernel panic") { state.over = "the guest's kernel panicked" }
            guard words.first == "GANTRY", words.count > 1 else { return }
            switch words[1] {
            case "FINAL":
                state.final = GuestCounts(words: words.dropFirst(2))
                state.latest = state.final ?? state.latest
            case "VERIFIED":
                state.verified = GuestCounts(words: words.dropFirst(2))
                state.latest = state.verified ?? state.latest
            default:
                guard let counts = GuestCounts(words: words.dropFirst()) else { return }
                state.latest = counts
                state.first = state.first ?? counts
            }
        }
    }

    private func finish(_ why: String) { change { $0.over = $0.over ?? why } }
}
