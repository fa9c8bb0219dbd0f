import Foundation
import Glibc
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

/// A machine with one disk, whose memory is saved to an SR of its own.
struct SavedGuest {
    let toolstack: RunningToolstack
    let vm: String
    let uuid: String
    let vdi: String
    let vbd: String
    let pool: String
    let disks: (ref: String, path: String)
    let memory: (ref: String, path: String)

    /// Halted. `checks`: its guest writes to a file system on the disk, and checks what it has written; else it does nothing.
    init(_ toolstack: RunningToolstack, format: String, checks: Bool) async throws {
        let files = try GuestFiles.make()
        self.toolstack = toolstack
        disks = try await toolstack.makeRepository("a", formats: format)
        memory = try await toolstack.makeRepository("m", formats: "qcow2")
        pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
        try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(memory.ref))
        vdi = try await toolstack.makeDisk(in: disks.ref, bytes: checks ? 48 << 20 : 8 << 20, format: format)
        vm = try await Machines.make(toolstack, files, memory: 128 << 20)
        vbd = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
        uuid = try await toolstack.text("VM.get_uuid", .string(vm))
        guard checks else {
            try await toolstack.call("VM.set_PV_args", .string(vm), .string(GuestFiles.arguments(.idle)))
            return
        }
        var random = SeededRandom.printed()
        let raw = toolstack.folder.file("fs.raw")
        try GuestDiskImage.make(at: raw, bytes: 48 << 20, files: 4, random: &random)
        try await toolstack.session.upload(
            file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
    }

    /// What the guest says from now on.
    func console() throws -> ConsoleReader {
        try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
    }

    func start() async throws -> ConsoleReader {
        try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
        return try console()
    }

    func resume() async throws -> ConsoleReader {
        try await toolstack.call("VM.resume", .string(vm), .bool(false), .bool(false))
        return try console()
    }

    var state: String { get async throws { try await toolstack.text("VM.get_power_state", .string(vm)) } }

    /// Ends its QEMU.
    func kill() throws {
        struct Record: Decodable { var pid: Int32 }
        let file = URL(fileURLWithPath: "\(toolstack.runDirectory)/guests/\(uuid)/record.json")
        let record = try JSONDecoder().decode(Record.self, from: Data(contentsOf: file))
        try #require(record.pid > 1)
        _ = Glibc.kill(record.pid, SIGKILL)
    }

    /// Calls `message` of the machine, and does `action` while it is held at the last of `points`, which it comes to one after the other.
    /// Returns how the task has ended.
    func during(
        _ message: String, _ more: [WireValue] = [], at points: [String],
        _ action: (_ task: String) async throws -> Void
    ) async throws -> TaskStatus {
        let failures = toolstack.failures
        try failures.set(.hold, at: points[0])
        let task = try await toolstack.session.call("Async." + message, [.string(vm)] + more).text ?? ""
        for (index, point) in points.enumerated() {
            while !failures.isHeld(at: point) {
                let status = try await toolstack.text("task.get_status", .string(task))
                let error = try await toolstack.call("task.get_error_info", .string(task))
                try #require(status == "pending", "\(point) was not reached: \(error)")
                try await Task.sleep(for: .milliseconds(5))
            }
            if index + 1 < points.count {
                try failures.set(.hold, at: points[index + 1])
            } else {
                try await action(task)
            }
            try failures.release(point)
        }
        return try await toolstack.session.waitForTask(task)
    }

    /// Shuts the guest down, which has checked what it wrote.
    func finish(_ console: ConsoleReader) async throws {
        try await toolstack.call("VM.clean_shutdown", .string(vm))
        let final = try await console.waitForFinal()
        #expect(final.isClean && final.verified > 0, "\(final)")
    }

    /// Nothing is left of it but its rows.
    func end() async throws {
        await toolstack.stop()
        #expect(try toolstack.leftovers() == [])
    }
}
