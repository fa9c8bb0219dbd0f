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

    let minorVersion: Int
    /// The client asked for the head of the answer only.
    let isHeadOnly: Bool
    /// The body of the request, for its reader; nil when there is none, or when it has been read already.
    let pipe: BodyPipe?
    /// Bytes of the request's body that have not come yet; `Int64.max` when it ends with the connection.
    var bodyLeft: Int64
    /// Another request may follow.
    var isKeepAlive: Bool
    var answer = Answer.none
    /// What makes the answer. It is cancelled with the connection only when it changes nothing by being unfinished.
    var work: Task<Void, Never>?

    init(_ head: RequestHead, pipe: BodyPipe? = nil, bodyLeft: Int64 = 0, isKeepAlive: Bool) {
        minorVersion = head.minorVersion
        isHeadOnly = head.method == "HEAD"
        self.pipe = pipe
        self.bodyLeft = bodyLeft
        self.isKeepAlive = isKeepAlive
    }
}
