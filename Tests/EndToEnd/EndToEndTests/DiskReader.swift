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
        return bytes == model ? nil : (0..<model.count).first { bytes[$0] != model[$0] }
    }

    func close() throws { try client.close() }
}
