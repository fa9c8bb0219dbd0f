public import APITypes
import AsyncHTTPClient
import NIOCore
import RPCCodec
import Synchronization

extension XenAPISession {
    /// Fills a disk from an image in a file.
    ///
    /// Runs in a task of the server; returns when it is finished, and throws its failure. A cancelled Swift task ends the
    /// transfer. Role: `vm-admin`.
    public func importDisk(
        from file: String, format: DiskFormat = .raw, into disk: Ref<VDI>,
        onProgress: @escaping @Sendable (TransferProgress) -> Void = { _ in }
    ) async throws {
        let query = [(name: "vdi", value: disk.opaque), (name: "format", value: format.rawValue)]
        try await inTask("import of \(disk.opaque)") { task in
            _ = try await self.upload(
                file: file, to: "/import_raw_vdi", query: query + [(name: "task_id", value: task.ref.opaque)]
            ) { done, total in onProgress(TransferProgress(done: done, total: total)) }
        }
    }

    /// Fills a disk from the bytes of an image, `length` in all, as they come. They are asked for at the pace of the server.
    ///
    /// A sequence of another length fails. Where the server sends the transfer to another host, which only a file can
    /// follow, this throws `ConnectionError.redirected`.
    public func importDisk<Source: AsyncSequence & Sendable>(
        bytes source: Source, length: UInt64, format: DiskFormat = .raw, into disk: Ref<VDI>,
        onProgress: @escaping @Sendable (TransferProgress) -> Void = { _ in }
    ) async throws where Source.Element == [UInt8] {
        let body = SourceBytes(source: source, length: length) { onProgress(TransferProgress(done: $0, total: length)) }
        try await inTask("import of \(disk.opaque)") { task in
            // Only now: the session may have been opened anew for the task.
            let link = self.link
            do {
                let query = [
                    (name: "vdi", value: disk.opaque), (name: "format", value: format.rawValue),
                    (name: "task_id", value: task.ref.opaque), (name: "session_id", value: link.ref),
                ]
                _ = try await link.transport.put("/import_raw_vdi", query: query, length: length, body: body)
            } catch let error as SourceFailure {
                throw error.cause
            } catch let error as Redirection {
                throw ConnectionError.redirected(
                    link.transport.address, path: error.path, location: error.location)
            }
        }
    }

    /// Writes a disk's image to a new file that only its owner can read; a file that is there is never overwritten. After a
    /// failure there is no file.
    ///
    /// With `base`, an older disk or a snapshot of the same disk, only what changed since is in the image (not for raw).
    public func exportDisk(
        _ disk: Ref<VDI>, format: DiskFormat = .raw, changedSince base: Ref<VDI>? = nil, to file: String,
        onProgress: @escaping @Sendable (TransferProgress) -> Void = { _ in }
    ) async throws {
        // Only a raw image is as long as its disk.
        let total: UInt64? =
            format == .raw ? UInt64(exactly: try await vdi.get(\.virtualSize, of: disk)) : nil
        let query = Self.exportQuery(disk, format, base)
        try await inTask("export of \(disk.opaque)") { task in
            // The server's task says whether the image was whole: the body may end after a failure, too.
            _ = try await self.download(
                from: "/export_raw_vdi", query: query + [(name: "task_id", value: task.ref.opaque)], to: file,
                confirm: { try await task.finish() }
            ) { done in onProgress(TransferProgress(done: done, total: total)) }
        }
    }

    /// A disk's image as a sequence of pieces, received at the pace of the reader. It ends with the image, when the server
    /// says that it was whole; it throws otherwise. A reader that stops early breaks the transfer off.
    public func contents(
        of disk: Ref<VDI>, format: DiskFormat = .raw, changedSince base: Ref<VDI>? = nil
    ) -> DiskContents {
        DiskContents(session: self, label: "export of \(disk.opaque)", query: Self.exportQuery(disk, format, base))
    }

    private static func exportQuery(
        _ disk: Ref<VDI>, _ format: DiskFormat, _ base: Ref<VDI>?
    ) -> [(name: String, value: String)] {
        [(name: "vdi", value: disk.opaque), (name: "format", value: format.rawValue)]
            + (base.map { [(name: "base", value: $0.opaque)] } ?? [])
    }

    private func inTask(_ label: String, _ transfer: (TransferTask) async throws -> Void) async throws {
        let task = try await TransferTask.make(label, in: self)
        do { try await transfer(task) } catch { throw await task.reason(of: error) }
        try await task.finish()
    }
}

/// A caller's bytes on their way to the server.
struct SourceBytes<Source: AsyncSequence & Sendable>: AsyncSequence, Sendable where Source.Element == [UInt8] {
    typealias Element = ByteBuffer
    let source: Source
    let length: UInt64
    let onProgress: @Sendable (UInt64) -> Void

    func makeAsyncIterator() -> Iterator { Iterator(base: source.makeAsyncIterator(), bytes: self) }

    struct Iterator: AsyncIteratorProtocol {
        var base: Source.AsyncIterator
        let bytes: SourceBytes
        var done: UInt64 = 0

        mutating func next() async throws -> ByteBuffer? {
            guard let piece = try await take() else { return nil }
            // The server closes as it has the last byte: that it was the last must be known before it is sent.
            if done == bytes.length { while try await take() != nil {} }
            bytes.onProgress(done)
            return ByteBuffer(bytes: piece)
        }

        private mutating func take() async throws -> [UInt8]? {
            let piece: [UInt8]?
            do { piece = try await base.next() } catch { throw SourceFailure(cause: error) }
            let total = done + UInt64(piece?.count ?? 0)
            guard total <= bytes.length, piece != nil || total == bytes.length else {
                throw SourceFailure(
                    cause: TransferFileError(
                        path: "the source",
                        reason: "is not \(bytes.length) bytes long, as was said, but "
                            + (piece == nil ? "\(total)" : "\(total) or more")))
            }
            done = total
            return piece
        }
    }
}

/// The image of a disk, piece by piece. Made by `XenAPISession.contents(of:)`.
public struct DiskContents: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    let session: XenAPISession
    let label: String
    let query: [(name: String, value: String)]

    public func makeAsyncIterator() -> Iterator { Iterator(contents: self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let contents: DiskContents
        private var stream: Download?
        private var isOver = false

        init(contents: DiskContents) { self.contents = contents }

        public mutating func next() async throws -> [UInt8]? {
            guard !isOver else { return nil }
            isOver = true
            var stream: Download
            if let under = self.stream { stream = under } else { stream = try await Download.begin(contents) }
            let piece = try await stream.next()
            self.stream = stream
            isOver = piece == nil
            return piece
        }
    }
}

/// One download under way.
private struct Download {
    private let task: TransferTask
    private let transport: HTTPTransport
    private var body: HTTPClientResponse.Body.AsyncIterator

    static func begin(_ contents: DiskContents) async throws -> Download {
        let task = try await TransferTask.make(contents.label, in: contents.session)
        do {
            let query = contents.query + [(name: "task_id", value: task.ref.opaque)]
            let (transport, response) = try await contents.session.followed(query: query) { transport, query in
                (transport, try await transport.open("/export_raw_vdi", query: query))
            }
            return Download(task: task, transport: transport, body: response.body.makeAsyncIterator())
        } catch { throw await task.reason(of: error) }
    }

    mutating func next() async throws -> [UInt8]? {
        let piece: ByteBuffer?
        do {
            var body = self.body
            piece = try await transport.exchange { try await body.next() }
            self.body = body
        } catch { throw await task.reason(of: error) }
        guard let piece else {
            try await task.finish()
            return nil
        }
        return Array(piece.readableBytesView)
    }
}
