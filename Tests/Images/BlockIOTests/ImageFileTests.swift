import BlockIO
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite struct ImageFileTests {
    private func code(_ body: () throws -> Void) -> BlockError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? BlockError)?.code }
    }

    @Test func readsAreExactOrFilledWithZeroes() throws {
        let folder = try ScratchFolder("file")
        let file = try ImageFile(path: folder.file("a"), access: .create)
        try file.write(bytes: [1, 2, 3], at: 5)
        #expect(try file.size() == 8)
        #expect(try file.bytes(at: 4, count: 6) == [0, 1, 2, 3, 0, 0])
        let buffer = AlignedBuffer(count: 4)
        #expect(code { try unsafe file.readExactly(into: buffer.bytes, at: 5) } == .invalidImage)
        try unsafe file.readExactly(into: buffer.bytes, at: 4)
        #expect(unsafe Array(buffer.bytes) == [0, 1, 2, 3])
        #expect(code { try unsafe file.read(into: buffer.bytes, at: UInt64(Int64.max)) } == .outOfRange)
        try file.truncate(to: 6)
        try file.sync()
        try file.syncFolder()
        #expect(try file.size() == 6)
        file.close()
        #expect(code { _ = try file.size() } == .io)
        #expect(code { try file.write(bytes: [1], at: 0) } == .io)
    }

    /// Writes of every alignment and size, past the cache and through it, over each other and from two threads.
    @Test func writesPastThePageCacheStoreTheSameBytes() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("file")
        let file = try ImageFile(path: folder.file("a"), access: .create)
        let half = 4 << 20
        var expected = [UInt8](repeating: 0, count: 2 * half)
        try file.write(bytes: expected, at: 0)
        file.bypassCache()
        file.bypassCache()
        var plans: [[(bytes: [UInt8], offset: Int, shift: Int)]] = [[], []]
        for side in 0...1 {
            for _ in 0..<60 {
                let isAligned = Bool.random(using: &random)
                let unit = isAligned ? 4096 : 512
                let offset = Int.random(in: 0..<half / unit, using: &random) * unit
                let tail = Bool.random(using: &random) ? 0 : Int.random(in: 0..<4096, using: &random)
                let count = min(half - offset, Int.random(in: 1...64, using: &random) * 8192 + tail)
                let bytes = random.bytes(count)
                plans[side].append((bytes, side * half + offset, Bool.random(using: &random) ? 0 : 512))
                expected.replaceSubrange(side * half + offset..<side * half + offset + count, with: bytes)
            }
        }
        let failures = Mutex<[String]>([])
        let workers = plans.map { plan in
            WorkerThread("writer") {
                let buffer = AlignedBuffer(count: 2 << 20)
                do {
                    for (bytes, offset, shift) in plan {
                        let place = unsafe UnsafeMutableRawBufferPointer(
                            rebasing: buffer.bytes[shift..<shift + bytes.count])
                        unsafe place.copyBytes(from: bytes)
                        try unsafe file.write(UnsafeRawBufferPointer(place), at: UInt64(offset))
                        if try file.bytes(at: UInt64(offset), count: bytes.count) != bytes {
                            failures.withLock { $0.append("other bytes at \(offset)") }
                        }
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        for worker in workers { worker.join() }
        #expect(failures.withLock { $0 } == [])
        try file.sync()
        #expect(try file.bytes(at: 0, count: expected.count) == expected)
        #expect(try file.size() == UInt64(expected.count))
        file.close()
        #expect(code { try file.write(bytes: expected, at: 0) } == .io)
    }

    @Test func writableFilesAreLockedAgainstAllOthers() throws {
        let folder = try ScratchFolder("file")
        let path = folder.file("a")
        let writer = try ImageFile(path: path, access: .create)
        try writer.truncate(to: 1 << 20)
        #expect(code { _ = try ImageFile(path: path, access: .readOnly) } == .busy)
        #expect(code { _ = try ImageFile(path: path, access: .create) } == .exists)
        let refused = try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", "raw", path, folder.file("b")])
        #expect(!refused.succeeded && refused.errors.contains("lock"), "\(refused.errors)")
        _ = try ImageFile(path: path, access: .readOnly, locking: false)
        writer.close()
        let one = try ImageFile(path: path, access: .readOnly)
        let two = try ImageFile(path: path, access: .readOnly)
        #expect(code { _ = try ImageFile(path: path, access: .readWrite) } == .busy)
        #expect(code { try one.write(bytes: [1], at: 0) } == .readOnly)
        one.close()
        two.close()
        try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "raw", path, folder.file("b")])
    }

    /// QEMU's locks are shared ones on single bytes: whoever reads takes care not to read what QEMU is writing.
    @Test func whatQEMUMayWriteIsNotRead() throws {
        let folder = try ScratchFolder("qemu-lock")
        let path = folder.file("a")
        try ImageFile(path: path, access: .create).truncate(to: 1 << 20)
        for (words, isRead) in [([], false), (["--read-only"], true)] {
            // Not in the background: what it inherits there keeps whoever waits for the call.
            let (server, socket) = (Process(), folder.file(isRead ? "r" : "w"))
            server.executableURL = URL(fileURLWithPath: try Tool.find("qemu-nbd"))
            server.arguments = ["--persistent", "-f", "raw", "-k", socket, path] + words
            try server.run()
            defer { server.waitUntilExit() }
            // It has the signal mask of whichever thread this is.
            defer { kill(server.processIdentifier, SIGKILL) }
            while server.isRunning, !FileManager.default.fileExists(atPath: socket) { sched_yield() }
            // The socket is there before the image is opened, and nobody is answered before that.
            try Tool.check("nbdinfo", ["--size", "nbd+unix:///?socket=\(socket)"])
            let busy = code { _ = try ImageFile(path: path, access: .readOnly) }
            #expect(busy == (isRead ? nil : .busy), "\(words)")
            #expect(code { _ = try ImageFile(path: path, access: .readWrite) } == .busy)
        }
        try ImageFile(path: path, access: .readWrite).close()
    }

    @Test func onlyFilesAndBlockDevicesAreOpened() throws {
        let folder = try ScratchFolder("file")
        #expect(unsafe mkfifo(folder.file("fifo"), 0o600) == 0)
        for path in [folder.file("fifo"), folder.path, "/dev/zero"] {
            #expect(code { _ = try ImageFile(path: path, access: .readOnly) } == .unsupported, "\(path)")
        }
        #expect(code { _ = try ImageFile(path: folder.file("none"), access: .readWrite) } == .notFound)
    }

    @Test(arguments: [true, false])
    func zeroedRangesReadAsZeroesAndTheRestStays(mayUnmap: Bool) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("file")
        let file = try ImageFile(path: folder.file("a"), access: .create)
        var model = random.bytes(3 << 20)
        try file.write(bytes: model, at: 0)
        for _ in 0..<20 {
            let start = Int.random(in: 0..<model.count, using: &random)
            let end = Int.random(in: start...min(model.count, start + 400_000), using: &random)
            try file.zero(at: UInt64(start), length: UInt64(end - start), mayUnmap: mayUnmap)
            model.replaceSubrange(start..<end, with: [UInt8](repeating: 0, count: end - start))
        }
        try file.writeZeroes(at: 7, length: 1_100_000)
        model.replaceSubrange(7..<1_100_007, with: [UInt8](repeating: 0, count: 1_100_000))
        #expect(try file.bytes(at: 0, count: model.count) == model)
        #expect(try file.size() == UInt64(model.count))
        // The map agrees: what it calls a hole is zero.
        var position: UInt64 = 0
        while position < UInt64(model.count) {
            let run = try file.run(at: position, end: UInt64(model.count))
            #expect(run.end > position)
            if !run.isData { #expect(model[Int(position)..<Int(run.end)].allSatisfy { $0 == 0 }) }
            position = run.end
        }
        #expect(try file.run(at: 4 << 20, end: 5 << 20) == (false, 5 << 20))
    }
}
