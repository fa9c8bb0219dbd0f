import BlockIO
import NBDTransport

/// A second look at a disk.
struct DiskReader {
    private let client: NBDClient

    init(socket: String) throws {
        client = try NBDClient.connect(unixSocket: socket, exportName: "disk", readOnly: true)
    }

    /// The offset of the first byte that differs from `model`.
    func firstDifference(from model: [UInt8]) throws -> Int? {
        var bytes = [UInt8](repeating: 0, count: model.count)
        // SAFETY: reads into the array's own storage.
        try unsafe bytes.withUnsafeMutableBytes { try unsafe client.read(into: $0, at: 0) }
        return Bytes.firstDifference(bytes, in: 0..<bytes.count, from: model, at: 0)
    }

    func close() throws { try client.close() }
}
