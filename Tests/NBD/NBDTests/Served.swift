import BlockIO
import NBDTransport
import TestSupport

/// A server on a Unix socket in a folder of its own, for one test.
final class Served {
    let folder: ScratchFolder
    let server: NBDServer
    let device: any BlockDevice
    var path: String { folder.file("s") }
    /// For tools that take NBD URIs.
    var uri: String { uri(export: "") }

    init(_ device: any BlockDevice, name: String = "disk", readOnly: Bool = false) throws {
        self.device = device
        folder = try ScratchFolder("nbd")
        server = NBDServer(exports: [NBDExport(name: name, device: device, readOnly: readOnly)])
        try server.start(unixSocket: folder.file("s"))
    }

    func uri(export: String) -> String { "nbd+unix:///\(export)?socket=\(path)" }

    func connect(readOnly: Bool = false) throws -> NBDClient {
        try NBDClient.connect(unixSocket: path, exportName: "disk", readOnly: readOnly)
    }

    deinit { server.stop() }
}

extension BlockDevice {
    // SAFETY: whole buffers of the right size, alive for the length of each call.
    // Not inlined: where nobody looks at the array, Swift 6.3.1's optimizer lets go of it before it is filled (the address
    // sanitizer showed it).
    @inline(never)
    func bytes(at offset: UInt64, _ count: Int) throws(BlockError) -> [UInt8] {
        let buffer = AlignedBuffer(count: count)
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<count])
        unsafe part.initializeMemory(as: UInt8.self, repeating: 0xEE)
        unsafe try read(into: part, at: offset)
        return unsafe Array(part)
    }

    func put(_ bytes: [UInt8], at offset: UInt64) throws(BlockError) {
        let buffer = AlignedBuffer(count: bytes.count)
        unsafe buffer.bytes.copyBytes(from: bytes)
        unsafe try write(UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<bytes.count]), at: offset)
    }
}
