public import RPCCodec

/// Something that carries XenAPI calls out in a session: a remote server, or the toolstack in this process.
public protocol XenAPICaller: Sendable {
    /// Calls `method` (e.g. `VDI.get_record`) with `parameters`; the session is put before them by the implementation.
    /// Throws `APIError` for failures the server reports, `ConnectionError` when it cannot be asked.
    func call(_ method: String, _ parameters: [WireValue]) async throws -> WireValue

    /// How many times the session was opened: another number means that the server may have forgotten what it had told.
    var loginCount: Int { get }

    /// Ends another session with the same server, `ref`, which a message has answered that opens one for somebody else
    /// (`host.migrate_receive`). One that is over, and a server that is gone, are no errors.
    func endSession(_ ref: String) async

    /// Sends the file at `file` with PUT to `path`, authenticated by the session.
    /// `onProgress` gets bytes sent and in all. Returns the reference in the answer's `task-id` header, if any.
    @discardableResult
    func upload(
        file: String, to path: String, query: [(name: String, value: String)],
        onProgress: @escaping @Sendable (_ done: UInt64, _ total: UInt64) -> Void
    ) async throws -> String?

    /// Gets `path` and writes the body to a new file `file` (mode 0600; must not exist; empty for standard output). Until
    /// everything was received, is on stable storage, and `confirm` did not throw, the file has no name, or where the file
    /// system cannot do that another one: what has the name `file` is whole. That the body ended does not always say so, hence `confirm`.
    /// `onProgress` gets bytes received. Returns the reference in the answer's `task-id` header, if any.
    @discardableResult
    func download(
        from path: String, query: [(name: String, value: String)], to file: String,
        confirm: @Sendable () async throws -> Void, onProgress: @escaping @Sendable (_ done: UInt64) -> Void
    ) async throws -> String?
}

extension XenAPICaller {
    public var loginCount: Int { 1 }

    /// The same where the end of the body is proof enough.
    @discardableResult
    public func download(
        from path: String, query: [(name: String, value: String)], to file: String,
        onProgress: @escaping @Sendable (_ done: UInt64) -> Void
    ) async throws -> String? {
        try await download(from: path, query: query, to: file, confirm: {}, onProgress: onProgress)
    }
}
