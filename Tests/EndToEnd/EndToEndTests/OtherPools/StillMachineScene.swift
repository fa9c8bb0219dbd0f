import Foundation
import Glibc
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

/// A machine that does not run, halted or suspended, and sets out to another pool again and again while things fail.
final class StillMachineScene {
    enum Fault: String, CaseIterable {
        case datapathHere = "data path here killed"
        case datapathThere = "data path there killed"
        case interrupted = "connections cut"
        case cut = "link cut for long"
        case full = "SR there full"
        case cancelled
        /// Behind the commit nobody answers, and whoever called has waited long enough.
        case unanswered = "no answer behind the commit"
    }

    struct Cell: CustomStringConvertible, Sendable {
        let isSuspended: Bool
        let fault: Fault

        /// The code that the caller gets; nil: his machine is there.
        var code: String? {
            switch fault {
            case .datapathHere, .datapathThere, .interrupted: nil
            case .cut: "MIRROR_FAILED"
            case .full: "SR_BACKEND_FAILURE_44"
            case .cancelled: "TASK_CANCELLED"
            case .unanswered: "VM_MIGRATE_CONTACT_REMOTE_SERVICE_FAILED"
            }
        }

        var landsThere: Bool { code == nil || fault == .unanswered }
        var description: String { (isSuspended ? "suspended, " : "halted, ") + fault.rawValue }
    }

    static let cells = [false, true].flatMap { isSuspended in
        Fault.allCases.map { Cell(isSuspended: isSuspended, fault: $0) }
    }

    private typealias Home = CrossPoolFaultScene.Home

    private static let size: UInt64 = 8 << 20

    private var pools: TwoPools
    private var homes: [Home]
    private let uuid: String
    /// What its disk holds, as a raw file.
    private let model: String
    private var random: SeededRandom

    init(_ pools: TwoPools, _ random: SeededRandom) async throws {
        var random = random
        var homes: [Home] = []
        for toolstack in [pools.here, pools.there] {
            let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 512)
            let (ref, _) = try await toolstack.makeRepository("a", formats: "vhd", folder: loop.mountPoint)
            homes.append(Home(ref: ref, loop: loop, link: try CuttableLink(to: Int(pools.port(toolstack)) ?? 0)))
            let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
            try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(ref))
        }
        // More than is left where there is no room.
        let content = [UInt8](repeating: 0, count: 4096) + random.bytes(4 << 20)
        model = pools.here.folder.file("model")
        try Data(content + [UInt8](repeating: 0, count: Int(Self.size) - content.count))
            .write(to: URL(fileURLWithPath: model))
        let vdi = try await pools.here.makeDisk(in: homes[0].ref, bytes: Self.size, format: "vhd")
        let task = try await pools.here.session.upload(
            file: model, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
        if let task { _ = try await pools.here.session.waitForTask(task) }
        let vm = try await EndToEnd.CrossPool.machine(pools.here, [vdi])
        uuid = try await pools.here.text("VM.get_uuid", .string(vm))
        (self.pools, self.homes, self.random) = (pools, homes, random)
    }

    /// Also after a failed test.
    func close() {
        for home in homes {
            home.link.close()
            home.loop.remove()
        }
    }

    private func vm() async throws -> String { try await pools.here.text("VM.get_by_uuid", .string(uuid)) }

    private func disk() async throws -> String {
        let drives = try await pools.here.call("VM.get_VBDs", .string(vm())).items ?? []
        #expect(drives.count == 1)
        return try await pools.here.text("VBD.get_VDI", try #require(drives.first))
    }

    // MARK: One cell

    func play(_ cell: Cell) async throws {
        let vm = try await vm()
        if cell.isSuspended {
            try await pools.here.call("VM.start", .string(vm), .bool(false), .bool(false))
            try await pools.here.call("VM.suspend", .string(vm))
        }
        let isBehind = cell.fault == .unanswered
        let point = isBehind ? "departure-after-commit" : "departure-snapshots-copied"
        try pools.here.failures.set(.hold, at: point)
        let format = ["raw", "vhd", "qcow2"].randomElement(using: &random) ?? ""
        let disk = try await disk()
        let options = [Fault.cut, .full].contains(cell.fault) ? [("retry-seconds", "0")] : []
        let task = try await pools.here.text(
            "Async.VM.migrate_send", .string(vm), try await pools.token(through: homes[1].link), .bool(true),
            TwoPools.map([(disk, homes[1].ref)]), .members([]), TwoPools.map(options), .members([]),
            TwoPools.map([(disk, format)]))
        try await reach("the move is at \(point)") {
            try await requireUnderWay(task, cell)
            return pools.here.failures.isHeld(at: point)
        }
        if isBehind {
            try pools.here.failures.set(.fail, at: "departure-unanswered")
            homes[1].link.cut(forGood: true)
            try pools.here.failures.release(point)
        } else {
            // Its disks wait for their first byte.
            try await wish(task, isPaused: true)
            try pools.here.failures.release(point)
            try await reach("its disks are copied") {
                try await requireUnderWay(task, cell)
                let told = try await pools.here.call("task.get_other_config", .string(task))
                return told.member("phase") == .string("copying")
            }
            try await strike(cell, task)
            // One that was cancelled may be over.
            _ = try? await wish(task, isPaused: false)
        }
        let end = try await pools.here.session.waitForTask(task)
        #expect(end.errorInfo.first == cell.code, "\(cell): \(end.status) \(end.errorInfo)")
        homes[1].link.mend()
        if cell.fault == .full { try homes[1].loop.empty() }
        try await settle(cell)
        try await check(cell, format)
    }

    private func requireUnderWay(_ task: String, _ cell: Cell) async throws {
        let error = try await pools.here.call("task.get_error_info", .string(task))
        try #require(
            try await pools.here.text("task.get_status", .string(task)) == "pending", "\(cell): it has ended, \(error)")
    }

    private func wish(_ task: String, isPaused: Bool) async throws {
        _ = try? await pools.here.call("task.remove_from_other_config", .string(task), .string("paused"))
        try await pools.here.call(
            "task.add_to_other_config", .string(task), .string("paused"), .string(String(isPaused)))
    }

    private func strike(_ cell: Cell, _ task: String) async throws {
        switch cell.fault {
        case .datapathHere, .datapathThere:
            let toolstack = cell.fault == .datapathHere ? pools.here : pools.there
            // That of its disk, and that of its memory.
            let wanted = cell.isSuspended ? 2 : 1
            try await reach("\(cell): \(wanted) data paths") {
                try toolstack.processes("gantry-datapath").count == wanted
            }
            for process in try toolstack.processes("gantry-datapath") { kill(process, SIGKILL) }
        case .interrupted: homes[1].link.cut(forGood: false)
        case .cut: homes[1].link.cut(forGood: true)
        case .full: try homes[1].loop.fill(leaving: 1)
        case .cancelled: try await pools.here.call("task.cancel", .string(task))
        case .unanswered: break
        }
    }

    // MARK: Afterwards

    /// Returns when one side has the machine and the other nothing.
    private func settle(_ cell: Cell) async throws {
        try await reach("one side has the machine, the other nothing", atMost: .seconds(300)) {
            let (here, there) = (
                try await TwoPools.machines(pools.here).count, try await TwoPools.machines(pools.there).count
            )
            guard here + there == 1 else { return false }
            let (left, toolstack) = here == 0 ? (homes[0], pools.here) : (homes[1], pools.there)
            return try await toolstack.call("VDI.get_all").items == [] && left.images().isEmpty
        }
        try await pools.awaitNoMoves()
        try await pools.awaitQuiet()
        let hasGone = try await TwoPools.machines(pools.here).isEmpty
        #expect(hasGone == cell.landsThere, "\(cell)")
        if !hasGone { return }
        pools = pools.back
        homes.reverse()
    }

    /// It is as it was, and nobody works for it.
    private func check(_ cell: Cell, _ format: String) async throws {
        let vm = try await vm()
        let state = try await pools.here.text("VM.get_power_state", .string(vm))
        #expect(state == (cell.isSuspended ? "Suspended" : "Halted"), "\(cell)")
        let location = try await pools.here.text("VDI.get_location", .string(disk()))
        #expect(!cell.landsThere || location.hasSuffix("." + format), "\(cell): \(location)")
        #expect(try homes[0].images().count == (cell.isSuspended ? 2 : 1), "\(cell)")
        let kind = location.hasSuffix(".vhd") ? "vpc" : location.hasSuffix(".raw") ? "raw" : "qcow2"
        try Tool.check(
            "qemu-img", ["compare", "-f", "raw", "-F", kind, model, homes[0].loop.mountPoint + "/" + location])
        for toolstack in [pools.here, pools.there] {
            try await reach("\(cell): no data path is left") {
                try toolstack.processes("gantry-datapath").isEmpty
                    && toolstack.processes("gantry-datapath", dialing: true).isEmpty
            }
        }
        if !cell.isSuspended { return }
        // It goes on from the memory that has come with it.
        try await pools.here.call("VM.resume", .string(vm), .bool(false), .bool(false))
        #expect(try await pools.here.text("VM.get_power_state", .string(vm)) == "Running", "\(cell)")
        try await pools.here.call("VM.hard_shutdown", .string(vm))
    }

    func finish() async throws {
        await pools.here.stop()
        await pools.there.stop()
        #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
    }
}
