import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import TestSupport
import Testing

@Suite struct DatapathCounterTests {
    @Test func whatClientsDidIsCountedAlsoAfterTheyLeft() throws {
        let folder = try ScratchFolder("dp")
        let path = folder.file("a.qcow2")
        try DiskImage.create(path: path, format: .qcow2, size: 16 << 20).close()
        let process = try DatapathProcess(folder, image: path, format: "qcow2")
        #expect(try process.status().counters == DatapathCounters())
        let client = try process.connect()
        let buffer = AlignedBuffer(count: 1 << 20)
        unsafe buffer.bytes.initializeMemory(as: UInt8.self, repeating: 7)
        for index in UInt64(0)..<3 {
            try unsafe client.write(UnsafeRawBufferPointer(buffer.bytes), at: index << 20)
        }
        for index in UInt64(0)..<5 {
            try unsafe client.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<4096]), at: index * 4096)
        }
        try client.flush()
        try client.discard(at: 0, length: 65536)
        // A request is counted while its reply is on its way.
        var first = try #require(try process.status().counters)
        while first.discards == 0 { first = try #require(try process.status().counters) }
        #expect(first.writes == 3 && first.writtenBytes == 3 << 20 && first.writeNanoseconds > 0)
        #expect(first.reads == 5 && first.readBytes == 5 * 4096 && first.readNanoseconds > 0)
        #expect(first.flushes == 1 && first.flushNanoseconds > 0)
        #expect(first.discards == 1 && first.discardedBytes == 65536)
        try client.close()
        let again = try process.connect()
        try unsafe again.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<512]), at: 0)
        var second = try #require(try process.status().counters)
        while second.reads < 6 { second = try #require(try process.status().counters) }
        #expect(second.readBytes >= first.readBytes + 512 && second.writes == 3)
        #expect(try process.quit() == 0)
    }

    /// A data path of an earlier version says nothing of counters and is understood all the same.
    @Test func aStatusWithoutCountersIsUnderstood() throws {
        let text = """
            {"pid":1,"image":{"path":"/a","format":"raw","readOnly":false},"virtualSize":5,"connections":0}
            """
        let status = try JSONDecoder().decode(DatapathStatus.self, from: Data(text.utf8))
        #expect(status.counters == nil && status.virtualSize == 5)
    }
}
