import APITypes
import CLinux
import Glibc

/// The kernel's ring of messages.
enum KernelLog {
    /// Bytes given at most: the newest ones.
    static let limit = 256 << 10

    /// The messages; `clearing` empties what later reads show. Throws INTERNAL_ERROR when the kernel does not allow it.
    static func read(clearing: Bool) throws(APIError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit)
        // SAFETY: the kernel writes at most the array's count.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe gantry_kernel_log($0.baseAddress, $0.count, clearing) }
        guard count >= 0 else {
            let reason = unsafe String(cString: strerror(Int32(clamping: -count)))
            throw .internalError("the kernel's messages cannot be read: \(reason)")
        }
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }
}
