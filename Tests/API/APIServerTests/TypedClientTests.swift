import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import Testing
import Toolstack
import XenAPIClient

@testable import APIServer

/// The SDK against the daemon's own server, in both encodings.
@Suite struct TypedClientTests {
    private func withSession(
        _ encoding: XenAPISession.Encoding, _ body: (XenAPISession, TestHost) async throws -> Void
    ) async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let port = try #require(service.httpURL.flatMap { URL(string: $0)?.port })
        var options = XenAPISession.Options()
        options.encoding = encoding
        try await XenAPISession.with(
            at: .tcp(host: "127.0.0.1", port: port, tls: false), user: "root", password: host.password,
            options: options
        ) { session in try await body(session, host) }
        await service.stop()
    }

    @Test(arguments: [XenAPISession.Encoding.xmlRPC, .jsonRPC])
    func objectsAreMadeReadAndChanged(_ encoding: XenAPISession.Encoding) async throws {
        try await withSession(encoding) { session, host in
            let disk = try await session.vdi.create(
                VDICreation(nameLabel: "disk", sr: .null, virtualSize: 5, type: .user, smConfig: ["a": "1"]))
            let record = try await session.vdi.getRecord(disk)
            #expect(record.nameLabel == "disk" && record.virtualSize == 5 && record.smConfig == ["a": "1"])
            #expect(record.type == .user && record.cbtEnabled == false && record.snapshotTime.date == nil)
            #expect(try await session.vdi.getByUUID(record.uuid) == disk)
            #expect(try await session.vdi.getByNameLabel("disk") == [disk])
            #expect(try await session.vdi.getAll(where: "field \"virtual_size\" = \"5\"") == [disk])
            try await session.vdi.add(to: \.otherConfig, of: disk, key: "b", value: "2")
            try await session.vdi.set(\.nameLabel, of: disk, to: "other")
            try await session.vdi.add(to: \.tags, of: disk, "t")
            try await session.vdi.remove(from: \.smConfig, of: disk, key: "a")
            let changed = try #require(try await session.vdi.getAllRecords()[disk])
            #expect(changed.otherConfig == ["b": "2"] && changed.tags == ["t"] && changed.smConfig == [:])
            #expect(try await session.vdi.get(\.nameLabel, of: disk) == "other")
            try await host.database.transaction { $0.delete(disk) }
            await #expect(throws: XenAPIFailure("HANDLE_INVALID", "VDI", disk.opaque)) {
                try await session.vdi.getRecord(disk)
            }
            let hosts = try await session.host.getAllRecords()
            #expect(hosts.count == 1 && hosts.values.first?.enabled != nil)
            #expect(try await session.apiVersion() == .ofLibrary)
            let own = try await session.session.getRecord(Ref(session.ref))
            #expect(own.thisHost == hosts.keys.first)
            #expect(own.lastActive.date.map { abs($0.timeIntervalSinceNow) < 3600 } == true)
        }
    }

    /// A record of each class, as the daemon sends it, is read.
    @Test func recordsOfEveryClassInTheDatabaseAreRead() async throws {
        try await withSession(.xmlRPC) { session, host in
            func read<Calls: ListingCalls>(_ calls: Calls) async throws {
                let name = Calls.Class.className
                try await host.database.transaction { $0.insert(className: name, ref: "OpaqueRef:one") { _ in } }
                #expect(try await calls.getAllRecords().keys.contains(Ref("OpaqueRef:one")), "\(name)")
            }
            try await read(session.vdi)
            try await read(session.vm)
            try await read(session.sr)
            try await read(session.pbd)
            try await read(session.vbd)
            try await read(session.vif)
            try await read(session.pif)
            try await read(session.network)
            try await read(session.host)
            try await read(session.vgpuType)
            try await read(session.cluster)
            try await read(session.certificate)
        }
    }

    @Test(arguments: [XenAPISession.Encoding.xmlRPC, .jsonRPC])
    func tasksReportProgressGiveValuesAndAreCancelled(_ encoding: XenAPISession.Encoding) async throws {
        try await withSession(encoding) { session, host in
            let disk = Ref<VDI>("OpaqueRef:d")
            func start() async throws -> XenTaskHandle<Ref<VDI>> {
                try await session.vdi.asyncPoolMigrate(disk, sr: .null, options: [:])
            }
            let cancelled = try await start()
            let waiter = Task { try await cancelled.value }
            for try await status in cancelled.progress where status.otherConfig["phase"] == "copy" {
                // Only now: it works and is waited for.
                waiter.cancel()
                break
            }
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }

            let handle = try await start()
            var phases: Set<String> = []
            for try await status in handle.progress {
                phases.insert(status.otherConfig["phase"] ?? "")
                if status.otherConfig["phase"] == "copy" { host.gate.open() }
            }
            #expect(phases.contains("copy"))
            #expect(try await handle.value == disk)
            await #expect(throws: XenAPIFailure("VDI_IN_USE", disk.opaque, "forget")) {
                try await session.vdi.asyncForget(disk).finish()
            }
            // The cancelled one is removed when its worker has noticed.
            while try await !session.task.getAll().isEmpty { await Task.yield() }
        }
    }

    @Test func eventsTellWhatHappens() async throws {
        try await withSession(.jsonRPC) { session, host in
            var changes = session.changes(of: VDI.self).makeAsyncIterator()
            let disk = try await session.vdi.create(
                VDICreation(nameLabel: "one", sr: .null, virtualSize: 5, type: .user))
            #expect(try await changes.next()?.ref == disk)
            try await session.vdi.set(\.nameLabel, of: disk, to: "two")
            guard case .modified(disk, let record)? = try await changes.next() else {
                Issue.record("the change was not reported")
                return
            }
            #expect(record.nameLabel == "two")
            try await host.database.transaction { $0.delete(disk) }
            #expect(try await changes.next() == .deleted(disk))
        }
    }

    @Test func imagesGoInAndOutAsBytes() async throws {
        try await withSession(.xmlRPC) { session, host in
            let content = [UInt8](repeating: 5, count: 300_000)
            let pieces = AsyncStream<[UInt8]> { continuation in
                for start in stride(from: 0, to: content.count, by: 70000) {
                    continuation.yield(Array(content[start..<min(start + 70000, content.count)]))
                }
                continuation.finish()
            }
            try await session.importDisk(bytes: pieces, length: UInt64(content.count), into: Ref("disk"))
            #expect(host.disks["disk"] == content)
            var image: [UInt8] = []
            for try await piece in session.contents(of: Ref("disk")) { image += piece }
            #expect(image == content)
            // Half an image is no image.
            host.disks["bad"] = content
            host.disks.breakDisk("bad")
            await #expect(throws: XenAPIFailure("VDI_IO_ERROR", "bad.raw")) {
                for try await _ in session.contents(of: Ref("bad")) {}
            }
            await #expect(throws: XenAPIFailure("HANDLE_INVALID", "VDI", "missing")) {
                try await session.importDisk(bytes: pieces, length: 0, into: Ref("missing"))
            }
            // A reader that takes its time, and leaves: the server has not made much more than was read.
            var read = 0
            for try await piece in session.contents(of: Ref("endless")) {
                read += piece.count
                if read > 4 << 20 { break }
            }
            #expect(host.disks.endlessBytes < 64 << 20)
        }
    }
}
