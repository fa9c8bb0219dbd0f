import APITypes
import Foundation
import Glibc
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

/// A guest that writes and checks its disk, with a snapshot, and sets out to another pool again and again while things fail.
final class CrossPoolFaultScene {
    /// A pool's SR of the scene.
    struct Home {
        let ref: String
        /// A file system of its own, which can fill up.
        let loop: SmallFileSystem
        /// The way there.
        let link: CuttableLink

        func images() throws -> [String] {
            try RunningToolstack.images(loop.mountPoint).filter { $0 != SmallFileSystem.filler }
        }
    }

    private static let size: UInt64 = 8 << 20

    /// Where the guest is, and where it would go.
    private var pools: TwoPools
    private var homes: [Home]
    private let uuid: String
    private var console: ConsoleReader
    private let snapshotModel: [UInt8]
    private var random: SeededRandom

    init(_ pools: TwoPools, _ random: SeededRandom) async throws {
        var random = random
        var homes: [Home] = []
        for toolstack in [pools.here, pools.there] {
            let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 64)
            let (ref, _) = try await toolstack.makeRepository("a", formats: "", folder: loop.mountPoint)
            // What is unneeded stays: a merge has tests of its own.
            try await toolstack.call("SR.add_to_other_config", .string(ref), .string("coalesce"), .string("false"))
            homes.append(Home(ref: ref, loop: loop, link: try CuttableLink(to: Int(pools.port(toolstack)) ?? 0)))
        }
        let here = pools.here
        let vdi = try await here.makeDisk(in: homes[0].ref, bytes: Self.size, format: "vhd")
        let vm = try await Machines.make(here, try GuestFiles.make(), memory: 128 << 20)
        try await here.call("VM.set_PV_args", .string(vm), .string(GuestFiles.arguments(.raw, slots: 16)))
        _ = try await here.makeVBD(vm: vm, vdi: vdi, position: "0")
        snapshotModel = random.bytes(Int(Self.size))
        try await Self.fill(vdi, snapshotModel, here)
        _ = try await here.text("VM.snapshot", .string(vm), .string("s"), .array([]))
        // So much that there may be no room for what is not the snapshot's.
        try await Self.fill(vdi, random.bytes(Int(Self.size)), here)
        uuid = try await here.text("VM.get_uuid", .string(vm))
        try await here.call("VM.start", .string(vm), .bool(false), .bool(false))
        console = try ConsoleReader(path: Self.console(of: uuid, here))
        _ = try await console.waitFor(writes: 2)
        (self.pools, self.homes, self.random) = (pools, homes, random)
    }

    private static func fill(_ vdi: String, _ content: [UInt8], _ toolstack: RunningToolstack) async throws {
        let raw = toolstack.folder.file("content")
        try Data(content).write(to: URL(fileURLWithPath: raw))
        try await toolstack.session.upload(
            file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
    }

    /// Also after a failed test.
    func close() {
        for home in homes {
            home.link.close()
            home.loop.remove()
        }
    }

    private static func console(of uuid: String, _ toolstack: RunningToolstack) -> String {
        "\(toolstack.runDirectory)/guests/\(uuid)/console.sock"
    }

    private func vm() async throws -> String { try await pools.here.text("VM.get_by_uuid", .string(uuid)) }

    private func disk(of vm: String) async throws -> String {
        let drives = try await pools.here.call("VM.get_VBDs", .string(vm)).items ?? []
        #expect(drives.count == 1)
        return try await pools.here.text("VBD.get_VDI", try #require(drives.first))
    }

    // MARK: One cell

    func play(_ cell: CrossPoolFaults.Cell) async throws {
        let task = try await depart(cell)
        if cell.phase == .comparing {
            // It begins, and stands.
            let inSync = "departure-in-sync"
            try await awaitHeld(inSync, task, cell)
            try await wish(task, paused: true)
            try pools.here.failures.release(inSync)
        }
        if let point = cell.phase.point {
            try await awaitHeld(point, task, cell)
        } else if cell.phase == .snapshotCopied {
            try await pools.here.holdCopy(of: task)
        } else {
            // The snapshots go, and then the disk waits.
            let copied = "departure-snapshots-copied"
            try await wish(task, paused: false)
            while !pools.here.failures.isHeld(at: copied) {
                try await requireUnderWay(task, cell)
                try await Task.sleep(for: .milliseconds(2))
            }
            try await wish(task, paused: true)
            try pools.here.failures.release(copied)
            while try await pools.here.call("task.get_other_config", .string(task)).member("phase")
                != .string("copying")
            {
                try await requireUnderWay(task, cell)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        try await strike(cell, task)
        if cell.fault != .toolstackHere {
            try await letGoOn(cell, task)
            let end = try await pools.here.session.waitForTask(task)
            switch cell.outcome {
            case .goes: #expect(end.status == "success", "\(cell): \(end.errorInfo)")
            case .stays(let code): #expect(end.errorInfo.first == code, "\(cell): \(end.status) \(end.errorInfo)")
            case .halted: #expect(end.errorInfo.first == "VM_HALTED", "\(cell): \(end.status) \(end.errorInfo)")
            }
        }
        homes[1].link.mend()
        try await settle(cell)
        if cell.fault == .full { try homes[1].loop.empty() }
        try await check(cell)
    }

    private func depart(_ cell: CrossPoolFaults.Cell) async throws -> String {
        let here = pools.here
        if let point = cell.phase.point { try here.failures.set(.hold, at: point) }
        if cell.phase == .comparing { try here.failures.set(.hold, at: "departure-in-sync") }
        var options: [(String, String)] = []
        if cell.phase == .copying {
            options.append(("paused", "true"))
            try here.failures.set(.hold, at: "departure-snapshots-copied")
        }
        // So slow that it is seen at work.
        if cell.phase == .snapshotCopied { options.append(("bytes-per-second", "1MiB")) }
        if cell.fault == .cut || cell.fault == .full { options.append(("retry-seconds", "0")) }
        let vm = try await vm()
        let vdi = try await disk(of: vm)
        let format = ["vhd", "qcow2"].randomElement(using: &random) ?? ""
        return try await here.text(
            "Async.VM.migrate_send", .string(vm), try await pools.token(through: homes[1].link), .bool(true),
            TwoPools.map([(vdi, homes[1].ref)]), .members([]), TwoPools.map(options), .members([]),
            TwoPools.map([(vdi, format)]))
    }

    private func requireUnderWay(_ task: String, _ cell: CrossPoolFaults.Cell) async throws {
        let status = try await pools.here.text("task.get_status", .string(task))
        if status == "pending" { return }
        let error = try await pools.here.call("task.get_error_info", .string(task))
        throw RunningToolstack.Failure(description: "\(cell): not reached, \(status), \(error)")
    }

    /// The move waits at the phase while it happens.
    private func strike(_ cell: CrossPoolFaults.Cell, _ task: String) async throws {
        let (here, there) = (pools.here, pools.there)
        switch cell.fault {
        case .toolstackHere:
            await here.killHard()
            try here.failures.clear()
            try await here.start()
        case .toolstackThere:
            await there.killHard()
            try await there.start()
        case .datapathHere: try kill("gantry-datapath", "serve", of: here, cell)
        case .datapathThere: try kill("gantry-datapath", "serve", of: there, cell)
        case .copier: try kill("gantry-datapath", "copy", of: here, cell)
        case .guestHere: try kill("qemu-system", of: here, cell)
        case .guestThere: try kill("qemu-system", of: there, cell)
        case .interrupted:
            if cell.phase == .sending {
                // The connection that the memory goes through is made beside the move. It may be over by now that something goes.
                let link = homes[1].link
                let (before, end) = (link.passed, ContinuousClock.now + .seconds(2))
                while link.passed < before + 1 << 20, ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            homes[1].link.cut(forGood: false)
        case .cut: homes[1].link.cut(forGood: true)
        case .outlasted: try here.failures.set(.fail, at: "departure-outlasts-\(cell.phase)")
        case .full: try homes[1].loop.fill(leaving: 1)
        // Too late, it is refused.
        case .cancelled: _ = try? await here.call("task.cancel", .string(task))
        case .shutDown:
            let vm = try await vm()
            if cell.phase.isCommitted {
                // It may run there by now: to end what is left of it here would be no shutdown.
                let error = await #expect(throws: APIError.self) {
                    try await here.call("VM.hard_shutdown", .string(vm))
                }
                #expect(error?.code == "OTHER_OPERATION_IN_PROGRESS", "\(cell): \(error?.wire ?? [])")
            } else {
                try await here.call("VM.hard_shutdown", .string(vm))
            }
        }
    }

    /// `work`: what it does, of a program that does several things.
    private func kill(
        _ program: String, _ work: String? = nil, of toolstack: RunningToolstack, _ cell: CrossPoolFaults.Cell
    ) throws {
        let found = try toolstack.processes(program, doing: work)
        // Where the machine has gone already nothing is left that could die.
        if cell.phase == .removed, found.isEmpty { return }
        try #require(found.count == 1, "\(cell): \(found)")
        for process in found { Glibc.kill(process, SIGKILL) }
    }

    private func awaitHeld(_ point: String, _ task: String, _ cell: CrossPoolFaults.Cell) async throws {
        while !pools.here.failures.isHeld(at: point) {
            try await requireUnderWay(task, cell)
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func wish(_ task: String, paused: Bool) async throws {
        try await pools.here.wish("paused", String(paused), of: task)
    }

    private func letGoOn(_ cell: CrossPoolFaults.Cell, _ task: String) async throws {
        if let point = cell.phase.point {
            try pools.here.failures.release(point)
        }
        if [.snapshotCopied, .copying, .comparing].contains(cell.phase) {
            // One that was cancelled may be over.
            if cell.phase == .snapshotCopied { try? await pools.here.wish("bytes-per-second", "0", of: task) }
            try? await wish(task, paused: false)
        }
        // What is decided waits for the link.
        if cell.fault == .cut, cell.outcome == .goes {
            try await Task.sleep(for: .milliseconds(300))
            homes[1].link.mend()
        }
    }

    // MARK: Afterwards

    /// Waits until one side has the machine and its snapshot, the other one nothing, and neither has anything to tell.
    private func settle(_ cell: CrossPoolFaults.Cell) async throws {
        while true {
            let here = try await TwoPools.machines(pools.here).count
            let there = try await TwoPools.machines(pools.there).count
            if here + there == 2, here == 0 || there == 0 {
                let (left, toolstack) = here == 0 ? (homes[0], pools.here) : (homes[1], pools.there)
                if try await toolstack.call("VDI.get_all").items == [], try left.images().isEmpty { break }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        try await pools.awaitNoMoves()
        try await pools.awaitQuiet()
        let hasGone = try await TwoPools.machines(pools.here).isEmpty
        #expect(hasGone == (cell.outcome == .goes), "\(cell)")
        if !hasGone { return }
        pools = pools.back
        homes.reverse()
    }

    /// The guest goes on with its work where the rows say, and nothing is left of the move but the machine.
    private func check(_ cell: CrossPoolFaults.Cell) async throws {
        let here = pools.here
        let vm = try await vm()
        if cell.outcome == .halted {
            #expect(try await here.text("VM.get_power_state", .string(vm)) == "Halted", "\(cell)")
            try await expectNothingElse(than: 0, cell)
            try await here.call("VM.start", .string(vm), .bool(false), .bool(false))
        }
        #expect(try await here.text("VM.get_power_state", .string(vm)) == "Running", "\(cell)")
        let host = try await here.call("host.get_all").items?.first?.text
        #expect(try await here.text("VM.get_resident_on", .string(vm)) == host, "\(cell)")
        try await expectNothingElse(than: 1, cell)
        console = try ConsoleReader(path: Self.console(of: uuid, here))
        _ = try await console.waitFor(moreWrites: 1)
    }

    /// There are so many guests here, with a data path each, and nothing besides. What was told to end may take a moment to do so.
    private func expectNothingElse(than guests: Int, _ cell: CrossPoolFaults.Cell) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try !differences(from: guests).isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try differences(from: guests) == [], "\(cell)")
    }

    private func differences(from guests: Int) throws -> [String] {
        var differences: [String] = []
        for (toolstack, wanted) in [(pools.here, guests), (pools.there, 0)] {
            for (program, isDialer) in [("qemu-system", false), ("gantry-datapath", false), ("gantry-datapath", true)] {
                let found = try toolstack.processes(program, dialing: isDialer)
                if found.count != (isDialer ? 0 : wanted) { differences.append("\(program): \(found)") }
            }
            differences += (try? RunningToolstack.images(toolstack.runDirectory + "/transfers")) ?? []
        }
        return differences
    }

    /// After all: the guest has found all it wrote, the snapshot shows what it showed, and nothing is left.
    func finish() async throws {
        let here = pools.here
        let vm = try await vm()
        try await here.call("VM.clean_shutdown", .string(vm))
        let final = try await console.waitForFinal()
        #expect(final.isClean && final.verified > 0, "\(final)")
        print("the guest's longest wait for a write: \(final.longestStallMilliseconds) ms")
        let snapshot = try await here.call("VM.get_snapshots", .string(vm)).items?.first?.text ?? ""
        let content = here.folder.file("snapshot")
        _ = try await here.session.download(
            from: "/export_raw_vdi", query: [("vdi", try await disk(of: snapshot)), ("format", "raw")], to: content,
            onProgress: { _ in })
        let held = [UInt8](try Data(contentsOf: URL(fileURLWithPath: content)))
        #expect(Bytes.areEqual(held, snapshotModel))
        await pools.here.stop()
        await pools.there.stop()
        #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
    }
}
