import BlockIO
import NBDTransport
import Synchronization
import TestSupport
import Testing

@testable import Datapath

@Suite struct DriverExportTests {
    /// What the server answered and did not flush may go with it: this is said until a later flush has covered it. When the
    /// server is lost, whoever rests on it alone is told, and nobody else.
    @Test(arguments: [true, false])
    func aDriversServerThatIsLostIsNoticed(isTheDisk: Bool) throws {
        let folder = try ScratchFolder("export")
        let server = NBDServer(exports: [NBDExport(name: "e", device: MemoryDevice(size: 1 << 20))])
        try server.start(unixSocket: folder.file("s"))
        let client = try NBDClient.connect(unixSocket: folder.file("s"), exportName: "e")
        let lost = Losses()
        let export = DriverExport(client, isTheDisk: isTheDisk) { lost.count.add(1, ordering: .relaxed) }
        #expect(!export.hasVolatileMetadata)
        try export.writeZeroes(at: 0, length: 4096, mayUnmap: false)
        #expect(export.hasVolatileMetadata)
        try export.flush()
        #expect(!export.hasVolatileMetadata)
        try export.discard(at: 0, length: 4096)
        #expect(export.hasVolatileMetadata)
        #expect(throws: BlockError.self) { try export.writeZeroes(at: 1 << 20, length: 4096, mayUnmap: false) }
        #expect(lost.count.load(ordering: .relaxed) == 0, "a refusal is no loss")
        server.stop()
        #expect(throws: BlockError.self) { try export.flush() }
        #expect(export.hasVolatileMetadata)
        #expect(lost.count.load(ordering: .relaxed) == (isTheDisk ? 1 : 0))
        try? export.close()
    }

    private final class Losses: Sendable {
        let count = Atomic<Int>(0)
    }
}
