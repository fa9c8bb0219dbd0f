import Glibc

extension GuestError {
    /// The error for a system call that answered `-errno`. `what` names the attempt: "listen on PATH".
    static func system(_ what: String, _ negativeErrno: Int32) -> GuestError {
        let number = -negativeErrno
        // SAFETY: strerror's text is copied at once.
        let text = unsafe String(cString: strerror(number))
        return GuestError(.system, "cannot \(what): \(text)", systemError: number)
    }
}
