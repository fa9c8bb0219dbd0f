import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Toolstack

/// Finds what answers a request: by method, then by the longest path prefix that is known.
struct RequestRouter: Sendable {
    let rpc: RPCEndpoint
    let transfers: TransferEndpoint
    /// Requests come over the local socket.
    let isLocal: Bool
    let logger: Logger

    func respond(_ request: Request, _ writer: consuming ResponseWriter) async throws {
        let arguments = RequestArguments(request)
        switch (request.method, arguments.path) {
        case (.put, "/import_raw_vdi"):
            try await transfers.receive(request, arguments, isLocal: isLocal, writer)
        case (.get, "/export_raw_vdi"):
            try await transfers.send(request, arguments, isLocal: isLocal, writer)
        case (.get, "/audit_log"):
            try await transfers.sendAuditLog(request, arguments, isLocal: isLocal, writer)
        default:
            let answer: HTTPAnswer
            do {
                answer = try await small(request, arguments)
            } catch let failure as HTTPFailure {
                answer = .error(failure.status, failure.text)
            } catch {
                logger.error("a request failed", metadata: ["path": "\(arguments.path)", "error": "\(error)"])
                answer = .error(.internalServerError, "the request failed")
            }
            try await answer.write(writer)
        }
    }

    private func small(_ request: Request, _ arguments: RequestArguments) async throws -> HTTPAnswer {
        switch request.method {
        case .post:
            let encoding: RPCEndpoint.Encoding = arguments.path.hasPrefix("/jsonrpc") ? .json : .xml
            return try await rpc.answer(request, as: encoding, isLocal: isLocal)
        case .options:
            return options(request)
        case .get:
            guard arguments.path == "/" else { throw HTTPFailure(.notFound, "there is no \(arguments.path)") }
            let page = "<html><body><p>Gantry serves the XenAPI here: POST to / or /jsonrpc.</p></body></html>\n"
            return HTTPAnswer(.ok, contentType: "text/html", body: Array(page.utf8))
        case .put:
            throw HTTPFailure(.forbidden, "nothing is put to \(arguments.path)")
        default:
            throw HTTPFailure(.notImplemented, "the method \(request.method) is not known here")
        }
    }

    private func options(_ request: Request) -> HTTPAnswer {
        var fields = HTTPFields()
        fields[.accessControlAllowOrigin] = "*"
        let requested = request.headers[.accessControlRequestHeaders]
        fields[.accessControlAllowHeaders] = (requested.map { "\($0), " } ?? "") + "X-Requested-With"
        fields[.accessControlAllowMethods] = "PUT"
        return HTTPAnswer(.ok, fields: fields, contentType: nil, body: [])
    }
}
