import APITypes
import Foundation
import HTTPTypes
import NIOCore
import RPCCodec
import Toolstack

/// `GET /audit_log?since=DATE`: the audit log, oldest line first. Never more of it in memory than a chunk.
extension TransferEndpoint {
    func sendAuditLog(
        _ request: Request, _ arguments: RequestArguments, _ writer: consuming ResponseWriter
    ) async throws {
        let transfer: Transfer
        switch await begin(request, arguments, name: "get_audit_log") {
        case .refused(let answer): return try await answer.write(writer)
        case .begun(let begun): transfer = begun
        }
        let since: Int64
        do {
            since = try Self.date(arguments["since"])
        } catch {
            return try await refuse(transfer, error).write(writer)
        }
        guard let log = dispatcher.audit else {
            return try await refuse(transfer, HTTPFailure(.notFound, "no audit log is kept here")).write(writer)
        }
        var fields = HTTPFields()
        fields[.connection] = "close"
        fields[.contentType] = "application/x-ndjson"
        fields.set("task-id", transfer.task.ref.opaque)
        var isEnded = false
        do {
            var body = try await writer.writeHead(HTTPResponse(status: .ok, headerFields: fields))
            for try await lines in AuditLines(log, since: since) { try await body.write(ByteBuffer(bytes: lines)) }
            isEnded = true
            await end(transfer, .success(.void))
            try await body.finish(nil)
        } catch {
            if !isEnded { await end(transfer, .failure(APIError(error, task: transfer.task.ref))) }
            throw error
        }
    }

    /// Seconds since 1970; none given: all lines.
    private static func date(_ text: String?) throws -> Int64 {
        guard let text, !text.isEmpty else { return .min }
        guard let seconds = DateTimeText.parse(text) else {
            throw HTTPFailure(.badRequest, "since is a date such as 20261231T00:00:00Z")
        }
        return seconds
    }
}
