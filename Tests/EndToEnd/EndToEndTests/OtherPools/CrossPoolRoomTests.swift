import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Machines for which another pool has no room yet.
    @Suite struct CrossPoolRoom {
        private static let bytes: UInt64 = 24 << 20

        /// It waits until a move there has given room back, with nothing of it there meanwhile; whoever cancels it has it at once.
        @Test func aMachineWaitsForTheRoomOfAnotherPool() async throws {
            var random = SeededRandom.printed("room of another pool")
            let content = random.bytes(Int(Self.bytes))
            try await TwoPools.run { pools in
                let (here, there) = (pools.here, pools.there)
                let loop = try SmallFileSystem(in: there.folder, megabytes: 48)
                defer { loop.remove() }
                let (narrow, _) = try await there.makeRepository("narrow", formats: "raw", folder: loop.mountPoint)
                let wide = try await there.makeRepository("wide", formats: "raw")
                let source = try await here.makeRepository("a", formats: "raw")
                var disks: [String] = []
                for (toolstack, sr) in [(here, source.ref), (there, narrow)] {
                    let vdi = try await toolstack.makeDisk(in: sr, bytes: Self.bytes, format: "raw")
                    let file = toolstack.folder.file("content")
                    try Data(content).write(to: URL(fileURLWithPath: file))
                    let task = try await toolstack.session.upload(
                        file: file, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")],
                        onProgress: { _, _ in })
                    if let task { _ = try await toolstack.session.waitForTask(task) }
                    disks.append(vdi)
                }
                let vm = try await CrossPool.machine(here, [disks[0]])
                let leaving = try await there.text(
                    "Async.VDI.pool_migrate", .string(disks[1]), .string(wide.ref), TwoPools.map([("paused", "true")]))
                try await there.awaitEntries(of: leaving) { $0.member("phase")?.text == "copying" }
                let uuid = try await there.text("SR.get_uuid", .string(narrow))
                var arrived = ""
                for isCancelled in [true, false] {
                    let coming = try await here.text(
                        "Async.VM.migrate_send", .string(vm), try await pools.token(), .bool(true),
                        TwoPools.map([(disks[0], narrow)]), .members([]), .members([]), .members([]), .members([]))
                    try await here.awaitEntries(of: coming) {
                        $0.member("waits_for")?.text == "room in the SR \(uuid) of the other pool"
                            && $0.member("phase")?.text == "queued"
                    }
                    #expect(try RunningToolstack.images(loop.mountPoint).count == 1)
                    #expect(try await TwoPools.machines(there).isEmpty)
                    if isCancelled {
                        try await here.call("task.cancel", .string(coming))
                        let end = try await here.session.waitForTask(coming)
                        #expect(end.errorInfo.first == "TASK_CANCELLED", "\(end.errorInfo)")
                        try await pools.awaitNoMoves()
                    } else {
                        try await there.wish("paused", "false", of: leaving)
                        arrived = try await here.session.waitForTask(coming).value()
                    }
                }
                _ = try await there.session.waitForTask(leaving).value()
                #expect(try await TwoPools.machines(here).isEmpty)
                #expect(try await TwoPools.machines(there).map(\.ref) == [arrived])
                let images = try RunningToolstack.images(loop.mountPoint)
                #expect(images.count == 1)
                let found = try Data(contentsOf: URL(fileURLWithPath: loop.mountPoint + "/" + (images.first ?? "")))
                #expect(found == Data(content))
            }
        }
    }
}
