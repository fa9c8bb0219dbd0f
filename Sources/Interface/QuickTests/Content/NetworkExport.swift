import BlockIO
import Foundation
import NBDTransport
import XenAPIClient

/// A disk as the endpoint's NBD server shows it.
enum NetworkExport {
    /// Compares the export of `info` with the pattern. `size`: the disk's, bytes. `folder` holds the server's certificate
    /// meanwhile. A cancelled Swift task ends it.
    static func compare(
        _ info: VDINBDServerInfoRecord, with pattern: ContentPattern, size: UInt64, folder: ImageFolder
    ) async throws {
        guard let port = UInt16(exactly: info.port), port > 0 else {
            throw Mismatch("VDI.get_nbd_info names the port \(info.port), which is none")
        }
        var credentials: TLSCredentials?
        if !info.cert.isEmpty {
            // The host's certificate is its own authority.
            let trust = folder.fresh("tls")
            try FileManager.default.createDirectory(atPath: trust, withIntermediateDirectories: false)
            defer { folder.remove(trust) }
            try Data(info.cert.utf8).write(to: URL(fileURLWithPath: trust + "/ca-cert.pem"))
            credentials = try TLSCredentials.client(folder: trust)
        }
        let endpoint = NBDEndpoint(
            host: info.address, port: port, exportName: info.exportname,
            credentials: credentials, peerName: info.subject.isEmpty ? nil : info.subject)
        let client = try NBDClient(endpoint, readOnly: true)
        try await withTaskCancellationHandler {
            let outcome = Result { try compare(client, with: pattern, size: size) }
            try? client.close()
            try outcome.get()
        } onCancel: {
            try? client.close()
        }
    }

    /// Reads all of `device`.
    static func compare(_ device: any BlockDevice, with pattern: ContentPattern, size: UInt64) throws {
        guard device.size == size else {
            throw Mismatch("the NBD export has \(device.size) bytes and the disk has \(size)")
        }
        var comparison = ContentComparison(pattern)
        while comparison.position < size {
            let count = Int(min(1 << 20, size - comparison.position))
            var piece = [UInt8](repeating: 0, count: count)
            let offset = comparison.position
            // SAFETY: reads into the array's own storage.
            try unsafe piece.withUnsafeMutableBytes { try unsafe device.read(into: $0, at: offset) }
            try comparison.take(piece)
        }
        try comparison.finish(size: size)
    }
}
