import CLinux
import Foundation
import Glibc
import Synchronization

/// A TCP way to a port of this machine, for a test to cut and to mend: nobody at its ends dies of that.
///
/// Each connection has two threads, which pass on what comes; the end of one side is the end of the other.
final class CuttableLink: Sendable {
    private final class Pair: Sendable {
        let near, far: Int32

        init(near: Int32, far: Int32) { (self.near, self.far) = (near, far) }

        func end() {
            for socket in [near, far] { shutdown(socket, Int32(SHUT_RDWR)) }
        }

        deinit {
            Glibc.close(near)
            Glibc.close(far)
        }
    }

    private struct State {
        var isCut = false
        var pairs: [ObjectIdentifier: Pair] = [:]
        var passed: UInt64 = 0
    }

    /// Where it begins.
    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())

    init(to target: Int) throws {
        listener = unsafe "0.0.0.0".withCString { unsafe gantry_tcp_listen($0, 0, 64) }
        guard listener >= 0 else { throw RunningToolstack.Failure(description: "no port: errno \(-listener)") }
        port = Int(gantry_tcp_port(listener))
        self.target = target
        Thread { [self] in
            while true {
                let near = gantry_accept(listener)
                if near < 0 { return }
                take(near)
            }
        }.start()
    }

    /// Ends all connections. `forGood`: and every new one, until it is mended.
    func cut(forGood: Bool) {
        let pairs = state.withLock { state in
            state.isCut = forGood
            return Array(state.pairs.values)
        }
        for pair in pairs { pair.end() }
    }

    /// What has gone either way, bytes.
    var passed: UInt64 { state.withLock { $0.passed } }

    func mend() { state.withLock { $0.isCut = false } }

    func close() {
        cut(forGood: true)
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private func take(_ near: Int32) {
        let far = unsafe "127.0.0.1".withCString { unsafe gantry_tcp_connect($0, UInt16(target)) }
        guard far >= 0 else {
            Glibc.close(near)
            return
        }
        let pair = Pair(near: near, far: far)
        let isCut = state.withLock { state in
            if !state.isCut { state.pairs[ObjectIdentifier(pair)] = pair }
            return state.isCut
        }
        if isCut { return }
        for (from, to) in [(near, far), (far, near)] {
            Thread { [self] in
                pass(from, to)
                pair.end()
                _ = state.withLock { $0.pairs.removeValue(forKey: ObjectIdentifier(pair)) }
            }.start()
        }
    }

    private func pass(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            // SAFETY: receives into the array's own storage, at most its count.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe gantry_receive(from, $0.baseAddress, $0.count) }
            if count == -Int64(EINTR) { continue }
            if count <= 0 { return }
            state.withLock { $0.passed += UInt64(count) }
            var rest = buffer[..<Int(count)]
            while !rest.isEmpty {
                // SAFETY: sends from the array's own storage, what was received.
                let sent = unsafe rest.withUnsafeBytes { unsafe gantry_send(to, $0.baseAddress, $0.count) }
                if sent == -Int64(EINTR) { continue }
                if sent <= 0 { return }
                rest = rest.dropFirst(Int(sent))
            }
        }
    }
}
