import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// A disk that is made for an import is a disk when all of it is there, and is gone otherwise.
@Suite struct UnfinishedImportTests {
    private static func begin(_ host: OperationHost, _ sr: String) async throws -> any DiskImportSink {
        try await host.toolstack.transfers.beginImport(
            DiskTransferRequest(vdi: nil, sr: sr, format: "raw", length: 1 << 20, base: nil),
            context: CallContext(session: .null, task: .null, progress: UnwatchedProgress()))
    }

    private static func images(_ host: OperationHost, _ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: host.folder.file(name)).filter { !$0.hasPrefix(".") }
    }

    private static func disks(_ host: OperationHost) -> [Row] {
        host.database.read { $0.rows(VDI.self) { $0[VDI.nameLabel] == "Imported VDI" } }
    }

    /// Kills the process that imports into an image in the folder.
    private static func killImport(in folder: ScratchFolder) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let pid = Int32(name), let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                continue
            }
            let words = String(decoding: line, as: UTF8.self).split(separator: "\0")
            if words.contains("import"), words.contains(where: { $0.hasPrefix(folder.path + "/") }) {
                kill(pid, SIGKILL)
            }
        }
    }

    @Test func whatWasNotImportedToItsEndGoesAtTheNextStart() async throws {
        let folder = try ScratchFolder("ops")
        // The first is gone, with its lock, when this returns.
        func first() async throws -> (kept: Ref<VDI>, half: any DiskImportSink) {
            let host = try await OperationHost(in: folder)
            let (sr, _) = try await host.makeRepository("a")
            let whole = try await Self.begin(host, sr)
            try await whole.write([UInt8](repeating: 7, count: 1 << 20))
            let kept = try #require(Ref<VDI>(api: try await whole.finish()))
            let half = try await Self.begin(host, sr)
            try await half.write([UInt8](repeating: 7, count: 1 << 19))
            #expect(try Self.images(host, "a").count == 2)
            await host.toolstack.stop()
            return (kept, half)
        }
        let (kept, half) = try await first()
        // Its process ends with the toolstack's, which is the test's here.
        try Self.killImport(in: folder)
        let second = try await OperationHost(in: folder)
        #expect(Self.disks(second).map(\.ref) == [kept.opaque])
        #expect(try Self.images(second, "a").count == 1)
        #expect(second.database.read { $0.privateRecords(kind: UnfinishedImports.kind) } == [:])
        await second.toolstack.stop()
        await half.abort()
    }

    @Test func anImportThatFailsTakesItsDiskAlongOrLeavesItToTheNextStart() async throws {
        let folder = try ScratchFolder("ops")
        func first() async throws {
            let host = try await OperationHost(in: folder)
            let (sr, pbd) = try await host.makeRepository("a")
            let failed = try await Self.begin(host, sr)
            await failed.abort()
            #expect(Self.disks(host).isEmpty)
            #expect(try Self.images(host, "a") == [])
            #expect(host.database.read { $0.privateRecords(kind: UnfinishedImports.kind) } == [:])

            // Its storage cannot be asked: the disk stays, as it is half of one and known to be.
            let stuck = try await Self.begin(host, sr)
            try await host.database.transaction { tx in try tx.set(Ref<PBD>(pbd), PBD.currentlyAttached, false) }
            await stuck.abort()
            let disk = try #require(Self.disks(host).first)
            #expect(host.database.read { $0.privateRecords(kind: UnfinishedImports.kind) } == [disk.ref: ""])
            #expect(disk[VDI.currentOperations] == [:])
            try await host.database.transaction { tx in try tx.set(Ref<PBD>(pbd), PBD.currentlyAttached, true) }
            await host.toolstack.stop()
        }
        try await first()
        let again = try await OperationHost(in: folder)
        #expect(Self.disks(again).isEmpty)
        #expect(try Self.images(again, "a") == [])
        await again.toolstack.stop()
    }

    /// Whoever hears of the new disk can do nothing to it, from the first moment on.
    @Test func aDiskThatIsComingInIsNobodyElses() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let watcher = Task {
            var (seen, free) = (0, 0)
            var generation: Int64 = 0
            while !Task.isCancelled {
                await host.database.waitForChange(after: generation, timeout: .seconds(600))
                generation = host.database.generation
                for disk in Self.disks(host) {
                    seen += 1
                    if disk[VDI.currentOperations].values.isEmpty { free += 1 }
                }
            }
            return (seen, free)
        }
        for _ in 0..<10 {
            let sink = try await Self.begin(host, sr)
            let disk = try #require(Self.disks(host).first)
            #expect(await host.refused("VDI.destroy", .string(disk.ref)).first == "OTHER_OPERATION_IN_PROGRESS")
            await sink.abort()
        }
        watcher.cancel()
        let (seen, free) = await watcher.value
        #expect(seen > 0 && free == 0, "\(free) of \(seen)")
        await host.toolstack.stop()
    }
}
