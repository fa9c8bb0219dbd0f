import APITypes
import RPCCodec

/// The calls of `event.from` behind a sequence of events: tokens, and beginning again.
struct EventFeed: Sendable {
    let caller: any XenAPICaller
    let classes: [String]
    let timeout: Duration
    private var token = ""
    private var known = KnownObjects()
    /// Which login of the session the token belongs to.
    private var login: Int

    init(caller: any XenAPICaller, classes: [String], timeout: Duration) {
        self.caller = caller
        self.classes = classes
        self.timeout = timeout
        login = caller.loginCount
    }

    /// The events of one answer; none when nothing happened in time.
    mutating func next() async throws -> [XenAPIEvent] {
        while true {
            try Task.checkCancellation()
            let clock = ContinuousClock()
            let began = clock.now
            let batch: WireValue
            // What is there is asked for without waiting: where nothing is, the first answer would else carry news.
            let seconds = token.isEmpty ? 0 : timeout / .seconds(1)
            do {
                batch = try await caller.call(
                    "event.from",
                    [classes.wire, .string(token), .double(seconds)])
            } catch let error as APIError where error.asksToResynchronise && !token.isEmpty {
                token = ""
                continue
            }
            if caller.loginCount != login {
                // A new session, perhaps with a server that has started anew and counts from the beginning.
                login = caller.loginCount
                if !token.isEmpty {
                    token = ""
                    continue
                }
            }
            guard let items = batch.member("events")?.items, let next = batch.member("token")?.text, !next.isEmpty
            else {
                throw WireMismatch(expected: "a list of events and a token", in: "event.from")
            }
            let isWhole = token.isEmpty
            token = next
            let events = try items.map(SentEvent.init)
            if events.isEmpty, !isWhole, began.duration(to: clock.now) < .milliseconds(50) {
                // A server that does not wait must not be asked without end.
                try await Task.sleep(for: .milliseconds(100))
            }
            return isWhole ? known.begin(with: events) : known.follow(events)
        }
    }
}

/// An event as the server sends it.
struct SentEvent: Sendable {
    let className: String
    let ref: String
    let operation: String
    let snapshot: WireValue?

    init(_ wire: WireValue) throws(WireMismatch) {
        guard let className = wire.member("class")?.text, let ref = wire.member("ref")?.text,
            let operation = wire.member("operation")?.text
        else { throw WireMismatch(expected: "an event", in: "event.from") }
        self.className = className.lowercased()
        self.ref = ref
        self.operation = operation.lowercased()
        snapshot = wire.member("snapshot")
    }
}

/// Which objects the reader of events knows; what a server sends becomes what is news to the reader.
struct KnownObjects: Sendable {
    private struct Key: Hashable {
        let className: String
        let ref: String
    }
    private var keys: Set<Key> = []
    private var hasBegun = false

    /// Everything that is there. After the first time, the difference to what was known.
    mutating func begin(with events: [SentEvent]) -> [XenAPIEvent] {
        let isAgain = hasBegun
        hasBegun = true
        let before = keys
        keys = []
        var news: [XenAPIEvent] = []
        for event in events where event.operation != "del" {
            let key = Key(className: event.className, ref: event.ref)
            guard keys.insert(key).inserted else { continue }
            news.append(Self.event(event, before.contains(key) ? .modified : .added, isAgain))
        }
        for key in before.subtracting(keys).sorted(by: { ($0.className, $0.ref) < ($1.className, $1.ref) }) {
            news.append(
                XenAPIEvent(
                    className: key.className, ref: key.ref, change: .deleted, snapshot: nil,
                    isFromResynchronisation: true))
        }
        return news
    }

    /// What changed. An object that is known is never `added` again, one that is not known never `deleted`.
    mutating func follow(_ events: [SentEvent]) -> [XenAPIEvent] {
        events.compactMap { event in
            let key = Key(className: event.className, ref: event.ref)
            if event.operation == "del" {
                guard keys.remove(key) != nil else { return nil }
                return Self.event(event, .deleted, false)
            }
            return Self.event(event, keys.insert(key).inserted ? .added : .modified, false)
        }
    }

    private static func event(_ sent: SentEvent, _ change: XenAPIEvent.Change, _ isAgain: Bool) -> XenAPIEvent {
        XenAPIEvent(
            className: sent.className, ref: sent.ref, change: change,
            snapshot: change == .deleted ? nil : sent.snapshot, isFromResynchronisation: isAgain)
    }
}
