import HTTPTypes

/// A request that is being answered, and how far that is.
///
/// SAFETY of the Sendable conformance: its variables are used on the event loop of its connection only.
final class Exchange: @unchecked Sendable {
    enum Answer {
        case none
        /// The head is sent; pieces follow. `left`: bytes to the promised length, if there is one.
        case streaming(isChunked: Bool, left: Int64?)
        case done
    }

    /// The body of the request.
    enum Body {
        case coming
        case complete
        /// What is missing will not come.
        case broken
    }

    let minorVersion: Int
    /// The client asked for the head of the answer only.
    let isHeadOnly: Bool
    /// What the connection becomes when the request is granted; its bytes are the body then.
    let tunnel: RequestHead.Tunnel?
    var tunnelIsOpen = false
    /// The body of the request, for its reader; nil when there is none, or when it has been read already.
    let pipe: BodyPipe?
    var body: Body
    /// Another request may follow.
    var isKeepAlive: Bool
    var answer = Answer.none
    /// What makes the answer. It is cancelled with the connection only when it changes nothing by being unfinished.
    var work: Task<Void, Never>?

    init(_ head: RequestHead, pipe: BodyPipe? = nil, body: Body) {
        minorVersion = head.minorVersion
        isHeadOnly = head.method == "HEAD"
        tunnel = head.tunnel
        self.pipe = pipe
        self.body = body
        isKeepAlive = head.isKeepAlive
    }

    /// Whether an answer of this status makes the connection a tunnel.
    func isGranted(by status: HTTPResponse.Status) -> Bool {
        switch tunnel {
        case .bytes: status.kind == .successful
        case .webSocket: status == .switchingProtocols
        case nil: false
        }
    }
}
