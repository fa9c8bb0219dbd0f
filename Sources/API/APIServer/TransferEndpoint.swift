import APITypes
import CoreTypes
import HTTPTypes
import Logging
import NIOCore
import Toolstack

/// `PUT /import_raw_vdi` and `GET /export_raw_vdi`: disks as streams. Never holds more than a few chunks of a body.
struct TransferEndpoint: Sendable {
    let dispatcher: Dispatcher
    let transfers: any DiskTransfers
    let logger: Logger

    /// Bytes gathered before they are handed on.
    private static let chunkSize = 256 * 1024

    func register(in routes: inout HTTPRoutes) {
        routes.on(.put, "/import_raw_vdi") { routed, writer in
            try await receive(routed.request, routed.arguments, writer)
        }
        routes.on(.get, "/export_raw_vdi") { routed, writer in
            try await send(routed.request, routed.arguments, writer)
        }
        routes.on(.get, "/audit_log") { routed, writer in
            try await sendAuditLog(routed.request, routed.arguments, writer)
        }
    }

    func receive(
        _ request: Request, _ arguments: RequestArguments, _ writer: consuming ResponseWriter
    ) async throws {
        try await receive(request, arguments, name: "put_import_raw_vdi", writer) { context, length in
            try await transfers.beginImport(
                try Self.importRequest(request, arguments, length: length), context: context)
        }
    }

    /// Takes a request's body as `name`, into what `begin` opens.
    func receive(
        _ request: Request, _ arguments: RequestArguments, name: String,
        _ writer: consuming ResponseWriter,
        into begin: (_ context: CallContext, _ length: Int64?) async throws -> any DiskImportSink
    ) async throws {
        let transfer: Transfer
        let sink: any DiskImportSink
        let length = request.headers[.contentLength].flatMap(Int64.init)
        switch await self.begin(request, arguments, name: name) {
        case .refused(let answer): return try await answer.write(writer)
        case .begun(let begun): transfer = begun
        }
        do {
            sink = try await begin(transfer.context, length)
        } catch {
            return try await refuse(transfer, error).write(writer)
        }
        // What was begun is ended once: a client that goes away after the end does not change how it ended.
        var isEnded = false
        do {
            // Many clients hold the body back until they are told to go on.
            if request.headers[text: "expect"]?.lowercased() == "100-continue" {
                try await writer.writeContinue()
            }
            var fields = HTTPFields()
            fields[.connection] = "close"
            fields.set("task-id", transfer.task.ref.opaque)
            let body = try await writer.writeHead(HTTPResponse(status: .ok, headerFields: fields))
            // A client that says nothing is not waited for when the task is cancelled.
            let work = Task { await drain(request, length: length, into: sink, transfer) }
            transfer.task.whenCancelled { work.cancel() }
            let outcome = await withTaskCancellationHandler {
                await work.value
            } onCancel: {
                work.cancel()
            }
            transfer.task.whenCancelled(nil)
            isEnded = true
            await end(transfer, outcome)
            try await body.finish(nil)
        } catch {
            if !isEnded {
                await sink.abort()
                await end(transfer, .failure(.internalError("the client hung up")))
            }
            throw error
        }
    }

    /// Moves the whole body into the sink and closes it.
    private func drain(
        _ request: Request, length: Int64?, into sink: any DiskImportSink, _ transfer: Transfer
    ) async -> Result<APIValue, APIError> {
        var received: Int64 = 0
        var isCutShort = false
        do {
            var chunk: [UInt8] = []
            let body = request.body.makeAsyncIterator()
            while true {
                let next: ByteBuffer?
                do {
                    next = try await body.next()
                } catch  where sink.endsItself && !Task.isCancelled && !transfer.task.cancellation.isCancelled {
                    // Clients that do not know the length name a very large one, send an image, and hang up.
                    next = nil
                }
                guard let buffer = next else { break }
                if transfer.task.cancellation.isCancelled { throw CancellationError() }
                received += Int64(buffer.readableBytes)
                chunk.append(contentsOf: buffer.readableBytesView)
                if chunk.count >= Self.chunkSize {
                    try await sink.write(chunk)
                    chunk.removeAll(keepingCapacity: true)
                }
                if let length, length > 0 { transfer.task.report(Double(received) / Double(length)) }
            }
            isCutShort = received < length ?? 0
            guard sink.endsItself || !isCutShort else { throw APIError("IMPORT_ERROR_PREMATURE_EOF") }
            if !chunk.isEmpty { try await sink.write(chunk) }
            return .success(try await sink.finish())
        } catch {
            await sink.abort()
            // The image says that it goes on.
            if isCutShort, (error as? APIError)?.code == "SR_BACKEND_FAILURE_46" {
                return .failure(APIError("IMPORT_ERROR_PREMATURE_EOF"))
            }
            // Neither ours nor the sink's: the connection broke.
            if !(error is APIError), !(error is CancellationError), received < length ?? 0 {
                return .failure(APIError("IMPORT_ERROR_PREMATURE_EOF"))
            }
            return .failure(APIError(error, task: transfer.task.ref))
        }
    }

    func send(
        _ request: Request, _ arguments: RequestArguments, _ writer: consuming ResponseWriter
    ) async throws {
        try await send(request, arguments, name: "get_export_raw_vdi", writer) { context in
            try await transfers.beginExport(try Self.exportRequest(arguments), context: context)
        }
    }

    /// Answers a request as `name` with what `begin` opens.
    func send(
        _ request: Request, _ arguments: RequestArguments, name: String,
        _ writer: consuming ResponseWriter, from begin: (_ context: CallContext) async throws -> any DiskExportSource
    ) async throws {
        let transfer: Transfer
        let source: any DiskExportSource
        switch await self.begin(request, arguments, name: name) {
        case .refused(let answer): return try await answer.write(writer)
        case .begun(let begun): transfer = begun
        }
        do {
            source = try await begin(transfer.context)
        } catch {
            return try await refuse(transfer, error).write(writer)
        }
        var fields = HTTPFields()
        fields[.connection] = "close"
        fields[.contentType] = source.contentType
        fields.set("Content-Disposition", "attachment; filename=\"\(source.fileName)\"")
        fields.set("task-id", transfer.task.ref.opaque)
        var isEnded = false
        do {
            var body = try await writer.writeHead(HTTPResponse(status: .ok, headerFields: fields))
            // Nor is one that takes nothing.
            transfer.task.whenCancelled { [body] in body.abandon() }
            defer { transfer.task.whenCancelled(nil) }
            while let chunk = try await source.next() {
                if transfer.task.cancellation.isCancelled { throw CancellationError() }
                try await body.write(ByteBuffer(bytes: chunk))
            }
            await source.close()
            isEnded = true
            await end(transfer, .success(.void))
            try await body.finish(nil)
        } catch {
            if !isEnded {
                await source.close()
                let reason = transfer.task.cancellation.isCancelled ? CancellationError() : error
                await end(transfer, .failure(APIError(reason, task: transfer.task.ref)))
            }
            // The connection breaks off: a client must not take half a disk for a whole one.
            throw error
        }
    }

    // MARK: - Arguments

    private static let formats: Set<String> = ["raw", "vhd", "qcow2"]

    private static func format(_ arguments: RequestArguments) throws -> String {
        let format = arguments.parameter("format").map { $0.isEmpty ? "raw" : $0.lowercased() } ?? "raw"
        guard formats.contains(format) else { throw HTTPFailure(.notFound, "unknown format \(format)") }
        return format
    }

    private static func importRequest(
        _ request: Request, _ arguments: RequestArguments, length: Int64?
    ) throws -> DiskTransferRequest {
        guard request.headers[.transferEncoding] == nil else {
            throw HTTPFailure(.notFound, "Transfer-Encoding is not supported: send a Content-Length")
        }
        let format = try format(arguments)
        let isFramed = arguments.parameter("chunked") != nil
        if isFramed && format != "raw" {
            throw HTTPFailure(.notFound, "chunked is for the raw format")
        }
        guard length != nil else { throw HTTPFailure(.badRequest, "an import needs a Content-Length") }
        let (vdi, sr) = (
            arguments.parameter("vdi"), arguments.parameter("sr_id") ?? arguments.parameter("sr_uuid")
        )
        guard vdi != nil || sr != nil else { throw APIError("VDI_MISSING", "", "") }
        if vdi == nil && format != "raw" {
            throw HTTPFailure(.badRequest, "an import into an SR takes the raw format")
        }
        if vdi == nil && isFramed {
            throw HTTPFailure(.badRequest, "chunked is for a disk that is there: its length says nothing of the disk's")
        }
        return DiskTransferRequest(
            vdi: vdi, sr: sr, format: format, length: length, base: nil, isFramed: isFramed)
    }

    private static func exportRequest(_ arguments: RequestArguments) throws -> DiskTransferRequest {
        guard let vdi = arguments.parameter("vdi") else { throw APIError("VDI_MISSING", "", "") }
        return DiskTransferRequest(
            vdi: vdi, sr: nil, format: try format(arguments), length: nil, base: arguments.parameter("base"))
    }
}
