import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import NBDTransport
import TestSupport
import Testing

/// Tests whose images all have one size.
protocol ImagesOfOneSize {
    static var size: UInt64 { get }
}

extension ImagesOfOneSize {
    /// A new image in the folder.
    func image(_ folder: ScratchFolder, _ name: String, _ format: String) throws -> ImageSpecification {
        let path = folder.file(name)
        try DiskImage.create(path: path, format: try #require(ImageFormat(parsing: format)), size: Self.size).close()
        return ImageSpecification(path: path, format: format)
    }

    /// Writes `count` times the byte.
    func fill(_ client: NBDClient, _ byte: UInt8, at offset: UInt64, count: Int) throws {
        let buffer = AlignedBuffer(count: count)
        unsafe buffer.bytes.initializeMemory(as: UInt8.self, repeating: byte)
        try unsafe client.write(UnsafeRawBufferPointer(buffer.bytes), at: offset)
    }
}
