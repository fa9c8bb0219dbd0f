import HTTPTypes

/// What a browser is shown.
enum WelcomePage {
    static func register(in routes: inout HTTPRoutes) {
        routes.get("/") { request in
            let path = request.arguments.path
            guard path == "/" else { throw HTTPFailure(.notFound, "there is no \(path)") }
            let page = "<html><body><p>Gantry serves the XenAPI here: POST to / or /jsonrpc.</p></body></html>\n"
            return HTTPAnswer(.ok, contentType: "text/html", body: Array(page.utf8))
        }
    }
}
