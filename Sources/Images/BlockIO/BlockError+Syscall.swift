import Glibc

extension BlockError {
    /// The error of system call `call`, which failed with `number` (positive errno).
    public init(
        call: StaticString, errno number: Int32, path: String? = nil, offset: UInt64? = nil
    ) {
        let code: Code
        let advice: String
        switch number {
        case ENOSPC, EDQUOT:
            (code, advice) = (.noSpace, "; free space on the file system or use another storage repository")
        case EFBIG: (code, advice) = (.noSpace, "; the file system does not allow files of this size")
        case ENOENT: (code, advice) = (.notFound, "")
        case EEXIST: (code, advice) = (.exists, "; remove it or choose another name")
        case EACCES, EPERM: (code, advice) = (.denied, "")
        case EROFS: (code, advice) = (.readOnly, "")
        case EAGAIN, EBUSY: (code, advice) = (.busy, "; another process has it open")
        case EPIPE, ECONNRESET, ECONNREFUSED, ENOTCONN: (code, advice) = (.disconnected, "")
        default: (code, advice) = (.io, "")
        }
        let text = unsafe String(cString: strerror(number))
        self.init(code, "\(call) failed: \(text)\(advice)", path: path, offset: offset, systemError: number)
    }
}
