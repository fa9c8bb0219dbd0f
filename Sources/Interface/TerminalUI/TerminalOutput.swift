// SAFETY: the only unsafe uses are isatty/ioctl/poll/write on a descriptor and memory that live for the whole call.
import Glibc
import Synchronization

/// A place to write text to, and what is known of the terminal behind it. May be used from any thread.
public struct TerminalOutput: Sendable {
    /// True when it is a terminal (or was said to be one).
    public let isTerminal: Bool
    /// False when it is no terminal, when `NO_COLOR` is set and not empty, or `TERM` is `dumb`.
    public let usesColour: Bool
    private let sink: @Sendable (String) -> Void
    /// Where bytes go; nil: through `sink`.
    private let descriptor: Descriptor?
    private let measure: @Sendable () -> Int

    /// Text goes where `write` puts it; `columns` says how wide the terminal is.
    public init(isTerminal: Bool, columns: @escaping @Sendable () -> Int, write: @escaping @Sendable (String) -> Void) {
        self.isTerminal = isTerminal
        let plain = !Self.variable("NO_COLOR").isEmpty || Self.variable("TERM") == "dumb"
        usesColour = isTerminal && !plain
        measure = columns
        sink = write
        descriptor = nil
    }

    /// Text goes to `descriptor`, which is not owned. `isTerminal` overrides what it says of itself.
    public init(descriptor: Int32, isTerminal: Bool? = nil) {
        self.isTerminal = isTerminal ?? (isatty(descriptor) == 1)
        let plain = !Self.variable("NO_COLOR").isEmpty || Self.variable("TERM") == "dumb"
        usesColour = self.isTerminal && !plain
        measure = { Self.columns(of: descriptor) }
        let target = Descriptor(descriptor)
        sink = { text in unsafe Array(text.utf8).withUnsafeBytes { unsafe target.write($0) } }
        self.descriptor = target
    }

    public static let standardOutput = TerminalOutput(descriptor: 1)
    public static let standardError = TerminalOutput(descriptor: 2)

    /// Columns of the terminal, 80 when unknown.
    public var columns: Int { measure() }

    public func write(_ text: String) { sink(text) }

    /// The error number of the first write that failed: what was written since is not there, or not all of it.
    public var failure: Int32? { descriptor?.failure }

    /// Writes text that is UTF-8 already, much of it at once.
    public func write(_ utf8: UnsafeRawBufferPointer) {
        guard let descriptor else { return sink(unsafe String(decoding: utf8, as: UTF8.self)) }
        unsafe descriptor.write(utf8)
    }

    /// Columns of the terminal on `descriptor`, 80 when it is none.
    public static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes all of `text`, for who has no use for knowing whether it got there.
    public static func write(_ text: String, to descriptor: Int32) {
        unsafe Array(text.utf8).withUnsafeBytes { unsafe Descriptor(descriptor).write($0) }
    }

    private static func variable(_ name: String) -> String {
        guard let value = unsafe getenv(name) else { return "" }
        return unsafe String(cString: value)
    }
}

/// A descriptor, and whether all that was written to it got there. After a failure nothing more is written: a gap in the middle
/// would look like a whole.
private final class Descriptor: Sendable {
    private let number: Int32
    private let firstFailure = Atomic<Int32>(0)

    init(_ number: Int32) { self.number = number }

    var failure: Int32? {
        let number = firstFailure.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    func write(_ utf8: UnsafeRawBufferPointer) {
        var done = 0
        while done < utf8.count, failure == nil {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: utf8[done...])
            let written = unsafe Glibc.write(number, rest.baseAddress, rest.count)
            if written >= 0 {
                done += written
            } else if errno == EAGAIN {
                var request = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&request, 1, -1)
            } else if errno != EINTR {
                firstFailure.store(errno, ordering: .relaxed)
            }
        }
    }
}
