// SAFETY: the unsafe uses pass whole, live structures and buffers to socket calls.
import Foundation
import Synchronization

/// An HTTP server on a Unix socket that speaks just enough to stand in for a toolstack, one thread per connection.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        let line: String
        let body: [UInt8]
    }

    enum Answer: Sendable {
        /// After the request's body has been read.
        case reply(head: String, body: [UInt8])
        /// The head before the body is read, then nothing: how the stock server takes an import.
        case early(head: String)
        /// The connection is closed without a word.
        case hangUp
    }

    let path: String
    private let listener: Int32
    private let answer: @Sendable (_ line: String, _ body: [UInt8]) -> Answer
    private let received = Mutex<[Request]>([])

    /// `answer` is asked twice: with the request line alone, to learn whether it is `early`, then with the body too.
    init(path: String, answer: @escaping @Sendable (_ line: String, _ body: [UInt8]) -> Answer) throws {
        self.path = path
        self.answer = answer
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
            unsafe target.copyBytes(from: path.utf8.prefix(target.count - 1))
        }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard listener >= 0, bound == 0, listen(listener, 16) == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        Thread.detachNewThread { self.acceptAll() }
    }

    var requests: [Request] { received.withLock { $0 } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func acceptAll() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            Thread.detachNewThread {
                while self.serve(connection) {}
                close(connection)
            }
        }
    }

    /// One request; false when the connection is to be closed.
    private func serve(_ connection: Int32) -> Bool {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(connection, 1).first else { return false }
            bytes.append(byte)
        }
        let head = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        let line = head[0]
        let length =
            head.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
        if case .early(let head) = answer(line, []) {
            write(connection, Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\(head)\r\n".utf8))
            let body = read(connection, length)
            received.withLock { $0.append(Request(line: line, body: body)) }
            return false
        }
        let body = read(connection, length)
        received.withLock { $0.append(Request(line: line, body: body)) }
        switch answer(line, body) {
        case .reply(let head, let body):
            write(connection, Array("HTTP/1.1 \(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
            return true
        case .early, .hangUp:
            return false
        }
    }

    /// Up to `count` bytes; fewer only at the end.
    private func read(_ connection: Int32, _ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe recv(connection, buffer.baseAddress?.advanced(by: done), count - done, 0)
            }
            if got <= 0 { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }

    private func write(_ connection: Int32, _ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe send(
                    connection, buffer.baseAddress?.advanced(by: done), bytes.count - done, Int32(MSG_NOSIGNAL)
                )
            }
            if sent <= 0 { return }
            done += sent
        }
    }
}
