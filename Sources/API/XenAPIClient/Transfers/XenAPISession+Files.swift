import NIOCore
import NIOPosix

extension XenAPISession {
    @discardableResult
    public func upload(
        file path: String, to urlPath: String, query: [(name: String, value: String)],
        onProgress: @escaping @Sendable (_ done: UInt64, _ total: UInt64) -> Void
    ) async throws -> String? {
        let file = try OpenFile(reading: path)
        let length = try file.size()
        let chunks = FileChunks(file: file, length: length, onProgress: onProgress)
        return try await followed(query: query) { transport, query in
            try await transport.put(urlPath, query: query, length: length, body: chunks)
        }.taskReference
    }

    @discardableResult
    public func download(
        from urlPath: String, query: [(name: String, value: String)], to path: String,
        confirm: @Sendable () async throws -> Void, onProgress: @escaping @Sendable (_ done: UInt64) -> Void
    ) async throws -> String? {
        let file = try OpenFile(creating: path)
        do {
            let reply: TransferReply = try await followed(query: query) { transport, query in
                var done: UInt64 = 0
                return try await transport.get(urlPath, query: query) { piece in
                    try await NIOThreadPool.singleton.runIfActive { try file.write(piece) }
                    done += UInt64(piece.readableBytes)
                    onProgress(done)
                }
            }
            try await confirm()
            try await NIOThreadPool.singleton.runIfActive { try file.publish() }
            return reply.taskReference
        } catch {
            // It is ours and holds no image.
            file.remove()
            throw error
        }
    }

    /// Runs a transfer at this session's server, and at another host of the pool when the server sends it there: disks are
    /// reached through hosts that have their repository.
    func followed<Result: Sendable>(
        query: [(name: String, value: String)],
        _ transfer: (HTTPTransport, [(name: String, value: String)]) async throws -> Result
    ) async throws -> Result {
        let link = self.link
        let whole = query + [(name: "session_id", value: link.ref)]
        var transport = link.transport
        for step in 0... {
            do {
                return try await transfer(transport, whole)
            } catch {
                let from = transport.address
                if transport !== link.transport { await transport.close() }
                guard let error = error as? Redirection else { throw error }
                guard step < 3, let target = error.target(from: from) else {
                    throw ConnectionError.redirected(from, path: error.path, location: error.location)
                }
                transport = HTTPTransport(target, certificates: certificates, options: options)
            }
        }
        throw ConnectionError.lost(link.transport.address, reason: "sent from host to host")
    }
}
