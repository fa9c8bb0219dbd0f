import HTTPTypes

/// What answers which requests, apart from calls. A path belongs to the longest prefix that was registered for its
/// method.
///
///     var routes = HTTPRoutes()
///     routes.get("/health") { _ in HTTPAnswer(.ok, contentType: "text/plain", body: Array("ok\n".utf8)) }
struct HTTPRoutes: Sendable {
    typealias Handler = @Sendable (RoutedRequest, ResponseWriter) async throws -> Void

    private var prefixes: [HTTPRequest.Method: [(path: String, handler: Handler)]] = [:]

    /// An answer in pieces, or one that needs the body of the request. Throw `HTTPFailure` before the first byte.
    mutating func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        var all = prefixes[method] ?? []
        precondition(!all.contains { $0.path == path }, "\(method) \(path) is registered twice")
        all.append((path, handler))
        prefixes[method] = all.sorted { $0.path.utf8.count > $1.path.utf8.count }
    }

    /// A small answer. Throw `HTTPFailure` for another status.
    mutating func get(_ path: String, _ answer: @escaping @Sendable (RoutedRequest) async throws -> HTTPAnswer) {
        on(.get, path) { request, writer in try await answer(request).write(writer) }
    }

    func handler(_ method: HTTPRequest.Method, _ path: String) -> Handler? {
        prefixes[method]?.first { path.hasPrefix($0.path) }?.handler
    }

    /// Whether anything is registered for the method.
    func knows(_ method: HTTPRequest.Method) -> Bool { prefixes[method] != nil }
}

/// A request with what its target and its cookies say.
struct RoutedRequest: Sendable {
    let request: Request
    let arguments: RequestArguments

    var isLocal: Bool { request.isLocal }
}
