import APITypes
import Foundation
import GuestFixture
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

/// A disk with a snapshot, in use, that moves between two repositories while things fail.
final class MoveFaultScene {
    struct Place {
        let ref: String
        let path: String
        let format: String
        let loop: SmallFileSystem?
    }

    static let size = 48 << 20
    /// Below this everybody writes; what is above is written by those who need room that is not there.
    private static let common = 4 << 20

    let toolstack: RunningToolstack
    private var here: Place
    private var there: Place
    private var vdi: String
    private let vbd: String
    private var writer: DiskWriter
    private var random: SeededRandom
    private var untouched = MoveFaultScene.common
    private let snapshotModel: [UInt8]
    private var machine: String?

    init(_ toolstack: RunningToolstack, _ here: Place, _ there: Place, _ random: SeededRandom) async throws {
        var random = random
        (self.toolstack, self.here, self.there) = (toolstack, here, there)
        vdi = try await toolstack.makeDisk(in: here.ref, bytes: UInt64(Self.size), format: here.format)
        let plugged = try await toolstack.plugHere(vdi)
        vbd = plugged.vbd
        writer = try DiskWriter(socket: plugged.socket, model: [UInt8](repeating: 0, count: Self.size))
        try writer.write(24, of: 100_000, below: Self.common, &random)
        try await toolstack.call("VDI.snapshot", .string(vdi), .members([]))
        snapshotModel = writer.model
        try writer.write(6, of: 100_000, below: Self.common, &random)
        self.random = random
    }

    /// A repository on a file system of its own, which can fill up.
    static func place(
        _ toolstack: RunningToolstack, _ name: String, format: String
    ) async throws -> Place {
        let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 112, name: name)
        let (ref, path) = try await toolstack.makeRepository(name, formats: format, folder: loop.mountPoint)
        // What is unneeded stays: a merge has tests of its own.
        try await toolstack.call("SR.add_to_other_config", .string(ref), .string("coalesce"), .string("false"))
        return Place(ref: ref, path: path, format: format, loop: loop)
    }

    func unmount() { for place in [here, there] { place.loop?.remove() } }

    // MARK: One cell

    func play(_ cell: MoveFaults.Cell) async throws {
        let before = vdi
        if cell.fault == .guest { try await handToGuest() }
        let task = cell.fault == .toolstack ? try await killed(at: cell.phase) : try await struck(cell)
        if Self.gate(cell.phase) != nil || cell.phase == .snapshotCopied { try await letGoOn(task) }
        let end = try await end(of: task, cell)
        if cell.fault == .full { try there.loop?.empty() }
        if cell.fault == .guest { try await takeFromGuest() }
        if cell.fault == .driver, cell.phase.isCommitted {
            // The next start destroys what the driver did not.
            await toolstack.stop()
            try await toolstack.start()
        }
        let now = try await settled()
        switch cell.outcome {
        case .goesOn, .isDone:
            #expect(now != before, "\(cell)")
            if let end { #expect(try end.value() == now, "\(cell): \(end.status)") }
            swap(&here, &there)
        case .undone(let code):
            #expect(now == before, "\(cell)")
            #expect(end?.errorInfo.first == code, "\(cell): \(end?.status ?? "") \(end?.errorInfo ?? [])")
        }
        vdi = now
        try await check(cell)
    }

    /// Where a move is told to stand, so that something lasts as long as the test likes.
    private static func gate(_ phase: MoveFaults.Phase) -> String? {
        switch phase {
        case .copying: MoveFaults.Phase.snapshotsCopied.point
        case .comparing: MoveFaults.Phase.inSync.point
        default: nil
        }
    }

    private func start(_ phase: MoveFaults.Phase) async throws -> String {
        var options = ["dest-img-format": there.format, "retry-seconds": "0"]
        // So slow that it is seen at work.
        if phase == .snapshotCopied { options["bytes-per-second"] = "256KiB" }
        let gate = Self.gate(phase)
        if let gate { try toolstack.failures.set(.hold, at: gate) }
        let task = try await toolstack.text(
            "Async.VDI.pool_migrate", .string(vdi), .string(there.ref),
            .members(options.map { (name: $0.key, value: .string($0.value)) }))
        if let gate {
            // The disk waits, not its snapshot; or its comparison, not the disk.
            try await reach(gate, task, "\(phase)")
            try await toolstack.wish("paused", "true", of: task)
            try toolstack.failures.release(gate)
        }
        if phase == .snapshotCopied { try await toolstack.holdCopy(of: task) }
        return task
    }

    private func reach(_ point: String, _ task: String, _ what: String) async throws {
        while !toolstack.failures.isHeld(at: point) {
            let status = try await toolstack.text("task.get_status", .string(task))
            if status != "pending" { throw RunningToolstack.Failure(description: "\(what): not reached, \(status)") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// The daemon dies at the phase, clients go on, and it comes back.
    private func killed(at phase: MoveFaults.Phase) async throws -> String {
        var task = ""
        if let point = phase.point {
            try toolstack.failures.set(.kill, at: point)
            try await toolstack.dies(at: point) {
                task = try await self.start(phase)
                _ = try await self.toolstack.session.waitForTask(task)
            }
        } else {
            task = try await start(phase)
            await toolstack.killHard()
        }
        try toolstack.failures.clear()
        try writer.write(3, of: 60_000, below: Self.common, &random)
        try await toolstack.start()
        return task
    }

    /// The move waits at the phase until what is to fail has failed.
    private func struck(_ cell: MoveFaults.Cell) async throws -> String {
        if cell.fault == .driver, let point = cell.phase.point {
            try toolstack.failures.set(.fail, at: cell.phase == .committed ? "before-destroySource" : point)
            return try await start(cell.phase)
        }
        if let point = cell.phase.point { try toolstack.failures.set(.hold, at: point) }
        let task = try await start(cell.phase)
        if let point = cell.phase.point { try await reach(point, task, "\(cell)") }
        if ![.guest, .full].contains(cell.fault) { try writer.write(3, of: 60_000, below: Self.common, &random) }
        switch cell.fault {
        case .toolstack, .driver: break
        case .datapath: try Tool.check("pkill", ["-KILL", "-f", "gantry-datapath serve.*\(toolstack.folder.path)"])
        case .copier: try Tool.check("pkill", ["-KILL", "-f", "gantry-datapath copy.*\(toolstack.folder.path)"])
        case .server: try Tool.check("pkill", ["-KILL", "-f", "qemu-nbd.*\(there.path)"])
        case .guest: try Tool.check("pkill", ["-KILL", "-f", "qemu-system.*\(toolstack.folder.path)"])
        case .cancelled: _ = try? await toolstack.call("task.cancel", .string(task))
        case .full:
            try there.loop?.fill(leaving: 1)
            if cell.outcome != .isDone {
                try writer.write(4, of: 1 << 20, from: untouched)
                untouched += 4 << 20
            }
        }
        if let point = cell.phase.point { try toolstack.failures.release(point) }
        return task
    }

    private func letGoOn(_ task: String) async throws {
        // One that was cancelled may be over.
        for (name, value) in [("bytes-per-second", "0"), ("paused", "false")] {
            try? await toolstack.wish(name, value, of: task)
        }
    }

    /// Nil: the daemon that knew the task is gone, and so was the move.
    private func end(of task: String, _ cell: MoveFaults.Cell) async throws -> TaskStatus? {
        if cell.fault == .toolstack, cell.phase == .forgotten { return nil }
        return try await toolstack.session.waitForTask(task)
    }

    // MARK: A guest

    /// A machine has the disk now. It runs no instruction: nobody but the test knows what is to be on the disk.
    private func handToGuest() async throws {
        try writer.client.close()
        try await toolstack.call("VBD.unplug", .string(vbd))
        let vm: String
        if let machine {
            vm = machine
        } else {
            vm = try await Machines.make(toolstack, try GuestFiles.make())
            _ = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
            machine = vm
        }
        try await toolstack.call("VM.start", .string(vm), .bool(true), .bool(false))
    }

    private func takeFromGuest() async throws {
        while try await toolstack.text("VM.get_power_state", .string(machine ?? "")) != "Halted" {
            try await Task.sleep(for: .milliseconds(10))
        }
        try await toolstack.call("VBD.plug", .string(vbd))
    }

    // MARK: Afterwards

    /// The disk once nothing of the move is in progress.
    private func settled() async throws -> String {
        while true {
            let now = try await toolstack.text("VBD.get_VDI", .string(vbd))
            do {
                var isBusy = false
                for (name, ref) in [("VDI", now), ("SR", here.ref), ("SR", there.ref)] {
                    let operations = try await toolstack.call("\(name).get_current_operations", .string(ref))
                    isBusy = isBusy || operations.members?.isEmpty != true
                }
                if !isBusy { return now }
            } catch let error as APIError where error.code == "HANDLE_INVALID" {}
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func socket() async throws -> String {
        let address = try await toolstack.call("VBD.get_runtime_properties", .string(vbd)).member("nbd-uri")?.text
        return address?.components(separatedBy: "socket=").last ?? ""
    }

    /// A client of the data path that serves the disk now; one that is ending may answer a last time.
    private func reconnected(_ model: [UInt8]) async throws -> DiskWriter {
        while true {
            let place = try await socket()
            do {
                let again = try DiskWriter(socket: place, model: model)
                _ = try again.firstWrongByte()
                return again
            } catch {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// Every byte is right, and there is nothing but what the rows tell of: no file, process or folder.
    private func check(_ cell: MoveFaults.Cell) async throws {
        if cell.fault == .datapath || cell.fault == .server || cell.fault == .guest {
            writer = try await reconnected(writer.model)
        }
        #expect(try writer.firstWrongByte() == nil, "\(cell)")
        for place in [here, there] {
            var known: [String] = []
            for disk in try await toolstack.call("SR.get_VDIs", .string(place.ref)).items?.compactMap(\.text) ?? [] {
                known.append(try await toolstack.text("VDI.get_location", .string(disk)))
            }
            // Drivers keep the sockets and process ids of what they serve beside it.
            let images = try RunningToolstack.images(place.path).filter {
                place.loop != nil || !$0.hasSuffix(".pid") && !$0.hasPrefix(".")
            }
            #expect(images.sorted() == known.sorted(), "\(cell)")
            #expect(known.isEmpty == (place.ref == there.ref), "\(cell)")
        }
        #expect(try await toolstack.call("VDI.get_snapshots", .string(vdi)).items?.count == 1, "\(cell)")
        while try FileManager.default.contentsOfDirectory(atPath: toolstack.runDirectory + "/dp").count > 1 {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try toolstack.commands().count { $0.contains("gantry-datapath serve") } == 1, "\(cell)")
    }

    /// After all: the snapshot shows what it showed, and nothing is left.
    func finish() async throws {
        try writer.client.close()
        try await toolstack.call("VBD.unplug", .string(vbd))
        let raw = try await toolstack.makeRepository("raw", formats: "raw")
        let snapshots = try await toolstack.call("VDI.get_snapshots", .string(vdi)).items?.compactMap(\.text) ?? []
        let model = toolstack.folder.file("model")
        for (disk, content) in snapshots.map({ ($0, snapshotModel) }) + [(vdi, writer.model)] {
            try Data(content).write(to: URL(fileURLWithPath: model))
            let null = WireValue.string("OpaqueRef:NULL")
            let copy = try await toolstack.text("VDI.copy", .string(disk), .string(raw.ref), null, null)
            let location = try await toolstack.text("VDI.get_location", .string(copy))
            try Tool.check("cmp", [model, raw.path + "/" + location])
        }
        await toolstack.stop()
        #expect(try toolstack.leftovers() == [])
    }
}
