import HTTPTypes
import Logging
import Toolstack

/// Finds what answers a request: by method, then by the longest path prefix that is known.
struct RequestRouter: Sendable {
    let rpc: RPCEndpoint
    let routes: HTTPRoutes
    /// Requests come over the local socket.
    let isLocal: Bool
    let logger: Logger

    /// How a call's body is written; nil for requests that are no calls. Every POST is one that no route takes.
    func encoding(of head: RequestHead) -> RPCEndpoint.Encoding? {
        guard head.method == "POST" else { return nil }
        if head.target == "/" || head.target == "/RPC2" { return .xml }
        let path = RequestArguments.path(of: head.target)
        if path.hasPrefix("/jsonrpc") { return .json }
        return routes.handler(.post, path) == nil ? .xml : nil
    }

    /// Answers everything that is not a call.
    func respond(_ request: Request, _ writer: ResponseWriter) async throws {
        let arguments = RequestArguments(request)
        do {
            guard let handler = try handler(for: request.method, arguments.path) else {
                return try await Self.options(request).write(writer)
            }
            try await handler(RoutedRequest(request: request, arguments: arguments), writer)
        } catch let failure as HTTPFailure {
            try await HTTPAnswer.error(failure.status, failure.text).write(writer)
        } catch {
            if !(error is ConnectionGone) {
                logger.warning("a request failed", metadata: ["path": "\(arguments.path)", "error": "\(error)"])
            }
            throw error
        }
    }

    /// Nil stands for OPTIONS, which every path has.
    private func handler(for method: HTTPRequest.Method, _ path: String) throws(HTTPFailure) -> HTTPRoutes.Handler? {
        if method == .options { return nil }
        if let handler = routes.handler(method, path) { return handler }
        if method == .get { throw HTTPFailure(.notFound, "there is no \(path)") }
        guard routes.knows(method) else {
            throw HTTPFailure(.notImplemented, "the method \(method) is not known here")
        }
        throw HTTPFailure(.forbidden, "the method \(method) has nothing at \(path)")
    }

    private static func options(_ request: Request) -> HTTPAnswer {
        var fields = HTTPFields()
        fields[.accessControlAllowOrigin] = "*"
        let requested = request.head["access-control-request-headers"]
        fields[.accessControlAllowHeaders] = (requested.map { "\($0), " } ?? "") + "X-Requested-With"
        fields[.accessControlAllowMethods] = "PUT"
        return HTTPAnswer(.ok, fields: fields, contentType: nil, body: [])
    }
}
