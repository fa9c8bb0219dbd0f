import BlockIO
import CLinux
import Glibc

/// A pipe in which pages of the page cache wait for their way to a socket. For one connection's thread, which makes it.
final class PagePipe {
    /// Bytes that it takes; what an ordinary user may have.
    static let capacity = 1 << 20

    private let output: Int32
    /// Where `BlockDevice.putPages` puts them. Never filled by anybody else, and empty between requests.
    let input: Int32

    /// Nil where there is none so large: everything is copied then.
    init?() {
        var ends: (Int32, Int32) = (-1, -1)
        let status = unsafe withUnsafeMutablePointer(to: &ends) { pair in
            // SAFETY: a pair of two numbers is laid out as an array of them.
            unsafe pair.withMemoryRebound(to: Int32.self, capacity: 2) {
                unsafe gantry_page_pipe($0, Int32(Self.capacity))
            }
        }
        if status != 0 { return nil }
        (output, input) = ends
    }

    deinit {
        close(output)
        close(input)
    }

    /// Sends `count` bytes that are in it: 0 or an errno.
    func move(_ count: Int, to socket: Int32) -> Int32 {
        var rest = count
        while rest > 0 {
            let result = gantry_pages_to_socket(output, socket, rest)
            if result > 0 {
                rest -= Int(result)
            } else if result != -Int64(EINTR) {
                return result == 0 ? EPIPE : Int32(-result)
            }
        }
        return 0
    }

    /// Empties it of `count` bytes, at most `capacity`, which `scratch` has room for.
    func drop(_ count: Int, over scratch: UnsafeMutableRawPointer) {
        var rest = count
        while rest > 0 {
            let result = unsafe Glibc.read(output, scratch, rest)
            if result > 0 { rest -= result } else if result == 0 || errno != EINTR { return }
        }
    }
}
