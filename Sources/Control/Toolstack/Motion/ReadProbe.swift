import CLinux
import Dispatch
import Glibc

/// A short measurement of how fast a file is read. What is in the cache is read from it, as a copy would.
enum ReadProbe {
    private static let piece = 1 << 20
    private static let time = Duration.milliseconds(100)

    /// Bytes per second; nil when the file cannot be opened or holds nothing. Waits off the cooperative pool.
    static func bytesPerSecond(of path: String) async -> UInt64? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: read(path)) }
        }
    }

    private static func read(_ path: String) -> UInt64? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: piece)
        let start = ContinuousClock.now
        var (bytes, offset) = (0, 0)
        while ContinuousClock.now - start < time {
            // Holes deliver nothing that a copy would read.
            let data = gantry_seek_data(descriptor, UInt64(offset))
            if data == -Int64(ENXIO) { break }
            if data >= 0 { offset = Int(data) }
            // SAFETY: the buffer holds a piece, and nobody else has it during the call.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, offset)
            }
            if count <= 0 { break }
            bytes += count
            offset += count
        }
        let elapsed = (ContinuousClock.now - start) / Duration.seconds(1)
        return bytes == 0 ? nil : UInt64(Double(bytes) / max(elapsed, 1e-6))
    }
}
