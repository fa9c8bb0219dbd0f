public import APITypes
public import RPCCodec

/// What happened to an object.
public struct XenAPIEvent: Sendable, Hashable {
    public enum Change: Hashable, Sendable {
        case added
        case modified
        case deleted
    }

    /// In lower case, as events have it: `vdi`.
    public let className: String
    /// The object's opaque reference.
    public let ref: String
    public let change: Change
    /// The object's record now; nil when it was deleted.
    public let snapshot: WireValue?
    /// The event was not sent by the server: the sequence found it out when it began again after lost events.
    public let isFromResynchronisation: Bool

    /// The event as one of the class `Class`; nil when it is of another. Throws `WireMismatch` when the snapshot is none.
    public func of<Class: RecordClass>(_ type: Class.Type) throws -> ObjectChange<Class>? {
        guard className == Class.className.lowercased() else { return nil }
        let ref = Ref<Class>(ref)
        switch (change, snapshot) {
        case (.deleted, _): return .deleted(ref)
        case (.added, let snapshot?): return .added(ref, try Class.Record(wire: snapshot))
        case (.modified, let snapshot?): return .modified(ref, try Class.Record(wire: snapshot))
        default: throw WireMismatch(expected: "there", in: "the snapshot of \(self.ref)")
        }
    }
}

/// What happened to an object of the class `Class`.
public enum ObjectChange<Class: RecordClass>: Hashable, Sendable {
    case added(Ref<Class>, Class.Record)
    case modified(Ref<Class>, Class.Record)
    case deleted(Ref<Class>)

    public var ref: Ref<Class> {
        switch self {
        case .added(let ref, _), .modified(let ref, _), .deleted(let ref): ref
        }
    }

    /// The record now; nil when the object was deleted.
    public var record: Class.Record? {
        switch self {
        case .added(_, let record), .modified(_, let record): record
        case .deleted: nil
        }
    }
}

/// Where a sequence of events begins.
public enum EventStart: Hashable, Sendable {
    /// With an `added` for each object that is there.
    case withExistingObjects
    /// With what happens from now on.
    case now
}

/// Events without end, made by `XenAPICaller.events(of:)`.
///
/// The server is asked for more only when the reader has taken all that it sent, so a slow reader costs no memory: it sees
/// the latest state of what changed meanwhile. When the server lost events, or forgot the session and a new one was opened,
/// the sequence begins again by itself and reports the difference: objects that are gone are `deleted`, those that were
/// known are `modified`. For that it remembers the references of all objects of the classes asked for. A connection that
/// breaks, as when the server is started anew while a call waits there, ends it with a `ConnectionError`.
public struct XenAPIEvents: AsyncSequence, Sendable {
    public typealias Element = XenAPIEvent
    let caller: any XenAPICaller
    let classes: [String]
    let start: EventStart
    let timeout: Duration

    public func makeAsyncIterator() -> Iterator {
        Iterator(
            feed: EventFeed(caller: caller, classes: classes, timeout: timeout), isSilent: start == .now)
    }

    public struct Iterator: AsyncIteratorProtocol {
        var feed: EventFeed
        /// The first answer only says what is there.
        var isSilent: Bool
        var waiting: ArraySlice<XenAPIEvent> = []

        /// The next event. Throws what the calls throw, and `CancellationError` when the Swift task is cancelled.
        public mutating func next() async throws -> XenAPIEvent? {
            while waiting.isEmpty {
                let events = try await feed.next()
                if !isSilent { waiting = events[...] }
                isSilent = false
            }
            return waiting.removeFirst()
        }
    }
}

/// The events of one class, with its records. Made by `XenAPICaller.changes(of:)`.
public struct XenAPIChanges<Class: RecordClass>: AsyncSequence, Sendable {
    public typealias Element = ObjectChange<Class>
    let events: XenAPIEvents

    public func makeAsyncIterator() -> Iterator { Iterator(base: events.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var base: XenAPIEvents.Iterator

        public mutating func next() async throws -> ObjectChange<Class>? {
            while let event = try await base.next() {
                if let change = try event.of(Class.self) { return change }
            }
            return nil
        }
    }
}

extension XenAPICaller {
    /// What happens to the objects of some classes, e.g. `["vm", "vdi"]`; `"*"` is all, `"vm/OpaqueRef:…"` one object.
    ///
    /// `timeout`: how long one call waits at the server. The sequence ends only by an error, as of a connection that
    /// breaks, or by cancellation.
    public func events(
        of classes: [String], from start: EventStart = .withExistingObjects, timeout: Duration = .seconds(30)
    ) -> XenAPIEvents {
        XenAPIEvents(caller: self, classes: classes, start: start, timeout: timeout)
    }

    /// What happens to the objects of one class, with their records.
    public func changes<Class: RecordClass>(
        of type: Class.Type, from start: EventStart = .withExistingObjects, timeout: Duration = .seconds(30)
    ) -> XenAPIChanges<Class> {
        XenAPIChanges(events: events(of: [Class.className.lowercased()], from: start, timeout: timeout))
    }
}
