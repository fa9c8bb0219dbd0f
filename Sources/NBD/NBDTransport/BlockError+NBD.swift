import BlockIO
import NBDProtocol

extension BlockError {
    /// The number this error has on the wire ("Error values").
    var wireNumber: UInt32 {
        switch code {
        case .noSpace: NBDErrno.noSpace
        case .readOnly, .denied: NBDErrno.permission
        case .outOfRange: NBDErrno.invalid
        case .unsupported: NBDErrno.notSupported
        default: NBDErrno.io
        }
    }

    /// What a server answered to a request. `detail`: its own words, where it sent any.
    init(wireNumber number: UInt32, request: StaticString, detail: String = "", offset: UInt64) {
        let (code, reason): (Code, String) =
            switch number {
            case NBDErrno.permission: (.readOnly, "the server does not permit it")
            case NBDErrno.noSpace: (.noSpace, "the server's storage is full")
            case NBDErrno.noMemory: (.io, "the server is out of memory")
            case NBDErrno.invalid: (.io, "the server calls the request invalid")
            case NBDErrno.overflow: (.limitExceeded, "the server calls the request too large")
            case NBDErrno.notSupported: (.unsupported, "the server does not support it")
            case NBDErrno.shutdown: (.disconnected, "the server is shutting down")
            case NBDErrno.io: (.io, "the server's storage failed")
            default: (.io, "the server reports error \(number)")
            }
        let words = detail.isEmpty ? "" : ": \(detail)"
        self.init(code, "\(request) over NBD failed: \(reason)\(words)", offset: offset)
    }
}
