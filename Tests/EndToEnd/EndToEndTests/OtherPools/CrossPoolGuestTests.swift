import APITypes
import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Machines that go to another pool while they run, with guests that write and check their own data.
    @Suite struct CrossPoolGuests {
        /// A guest that goes to and fro, and its disk.
        private struct Traveller {
            var pools: TwoPools
            /// An SR of each, with its folder.
            var homes: [(ref: String, path: String)]
            let uuid: String
            var console: ConsoleReader

            func vm() async throws -> String { try await pools.here.text("VM.get_by_uuid", .string(uuid)) }

            func disk() async throws -> String {
                for drive in try await pools.here.call("VM.get_VBDs", .string(vm())).items ?? []
                where try await pools.here.text("VBD.get_type", drive) == "Disk" {
                    return try await pools.here.text("VBD.get_VDI", drive)
                }
                return ""
            }

            /// Begins a move and returns its task.
            func depart(format: String = "", options: [(String, String)] = []) async throws -> String {
                let vdi = try await disk()
                return try await pools.here.text(
                    "Async.VM.migrate_send", .string(vm()), try await pools.token(), .bool(true),
                    TwoPools.map([(vdi, homes[1].ref)]), .members([]), TwoPools.map(options), .members([]),
                    TwoPools.map([(vdi, format)]))
            }

            /// The guest is on the other side now: what was there is here.
            mutating func land() throws {
                pools = pools.back
                homes.reverse()
                try reconnect()
            }

            mutating func reconnect() throws { console = try ConsoleReader(path: Self.place(pools.here, uuid)) }

            static func place(_ toolstack: RunningToolstack, _ uuid: String) -> String {
                "\(toolstack.runDirectory)/guests/\(uuid)/console.sock"
            }

            /// Waits until one side has the machine and its image, and nobody holds them. Whether that is the other side.
            func settle() async throws -> Bool {
                while true {
                    let (here, there) = (
                        try await TwoPools.machines(pools.here), try await TwoPools.machines(pools.there)
                    )
                    let images = try homes.map { try RunningToolstack.images($0.path).count }
                    if here.count + there.count == 1, images[0] + images[1] == 1, images[0] == here.count {
                        try await pools.awaitQuiet()
                        return there.count == 1
                    }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }

            /// The guest runs here, as the rows say, has one QEMU in all, and goes on with its work.
            func expectItRuns(_ what: String) async throws {
                let vm = try await vm()
                #expect(try await pools.here.text("VM.get_power_state", .string(vm)) == "Running", "\(what)")
                let host = try await pools.here.call("host.get_all").items?.first?.text
                #expect(try await pools.here.text("VM.get_resident_on", .string(vm)) == host, "\(what)")
                #expect(Int(try await pools.here.text("VM.get_domid", .string(vm))) ?? -1 > 0, "\(what)")
                #expect(try pools.here.processes("qemu-system").count == 1, "\(what)")
                #expect(try pools.there.processes("qemu-system").isEmpty, "\(what)")
                #expect(try pools.there.processes("gantry-datapath").isEmpty, "\(what)")
                _ = try await console.waitFor(moreWrites: 2)
            }
        }

        private static func traveller(
            _ pools: TwoPools, _ raw: String, format: String, hasDisc: Bool = false
        ) async throws -> Traveller {
            let homes = [
                try await pools.here.makeRepository("a", formats: ""),
                try await pools.there.makeRepository("b", formats: ""),
            ]
            let size = try FileManager.default.attributesOfItem(atPath: raw)[.size] as? UInt64 ?? 0
            let vdi = try await pools.here.makeDisk(in: homes[0].ref, bytes: size, format: format)
            try await pools.here.session.upload(
                file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
            let vm = try await Machines.make(pools.here, try GuestFiles.make(), memory: 128 << 20)
            _ = try await pools.here.makeVBD(vm: vm, vdi: vdi, position: "0")
            if hasDisc { try await insertDisc(vm, pools.here) }
            try await pools.here.call("VM.start", .string(vm), .bool(false), .bool(false))
            let uuid = try await pools.here.text("VM.get_uuid", .string(vm))
            let console = try ConsoleReader(path: Traveller.place(pools.here, uuid))
            _ = try await console.waitFor(writes: 3)
            return Traveller(pools: pools, homes: homes, uuid: uuid, console: console)
        }

        /// A CD drive with a disc in it.
        private static func insertDisc(_ vm: String, _ toolstack: RunningToolstack) async throws {
            let folder = toolstack.folder.file("discs")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(count: 1 << 20).write(to: URL(fileURLWithPath: folder + "/disc.iso"))
            let sr = try await toolstack.makeRepository("discs", formats: "", folder: folder, type: "iso")
            try await toolstack.call("SR.scan", .string(sr.ref))
            let disc = try await toolstack.call("SR.get_VDIs", .string(sr.ref)).items?.first?.text ?? ""
            try await toolstack.call(
                "VBD.create",
                .members([
                    ("VM", .string(vm)), ("VDI", .string(disc)), ("userdevice", .string("3")),
                    ("bootable", .bool(false)), ("mode", .string("RO")), ("type", .string("CD")),
                    ("empty", .bool(false)), ("other_config", .members([])), ("qos_algorithm_type", .string("")),
                    ("qos_algorithm_params", .members([])),
                ]))
        }

        /// The CD drives, and whether each is empty.
        private static func drives(_ guest: Traveller) async throws -> [Bool] {
            var found: [Bool] = []
            for drive in try await guest.pools.here.call("VM.get_VBDs", .string(guest.vm())).items ?? []
            where try await guest.pools.here.text("VBD.get_type", drive) == "CD" {
                found.append(try await guest.pools.here.call("VBD.get_empty", drive) == .bool(true))
            }
            return found
        }

        private static func finish(_ traveller: Traveller, _ scratch: ScratchFolder) async throws {
            let pools = traveller.pools
            try await pools.here.call("VM.clean_shutdown", .string(traveller.vm()))
            let final = try await traveller.console.waitForFinal()
            #expect(final.isClean && final.verified > 0, "\(final)")
            print(
                "the guest's writes, with their flushes: "
                    + (traveller.console.lines.last { $0.hasPrefix("GANTRY STALLS") } ?? "not told"),
                "longest \(final.longestStallMilliseconds) ms")
            let content = scratch.file("final.raw")
            _ = try await pools.here.session.download(
                from: "/export_raw_vdi", query: [("vdi", try await traveller.disk()), ("format", "raw")], to: content,
                onProgress: { _ in })
            try Tool.check("e2fsck", ["-fn", content])
            await pools.here.stop()
            await pools.there.stop()
            #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
        }

        /// From every format to every format and to none in particular, by `xe`, there and back: the guest goes on with its work
        /// and its data, and is where the rows say; nothing is left where it was. With a pool of before there was a choice of formats
        /// as well, without one. A run does a part of the round with one of both, `GANTRY_LONG=1` all of it with each.
        @Test(arguments: GateShare.some(1, of: [false, true], "pools that guests go to"))
        func aGuestGoesToAnotherPoolWhileItRunsAndComesBack(_ isOlder: Bool) async throws {
            var random = SeededRandom.printed()
            let starts = GateShare.some(1, of: Array(GuestMoves.round.indices), "guests' moves to other pools")
            let (first, length) = starts.count > 1 ? (0, GuestMoves.round.count) : (starts[0], 2)
            let scratch = try ScratchFolder("fs")
            let raw = scratch.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 48 << 20, files: 4, random: &random)
            try await TwoPools.run(thereOptions: isOlder ? ["--compat", "26.14"] : []) { pools in
                var guest = try await Self.traveller(pools, raw, format: GuestMoves.formats[first])
                if isOlder {
                    let refused = try await Self.migrate(guest, "vhd", compresses: false)
                    #expect(refused.errors.contains("of an earlier version"), "\(refused.errors)")
                    #expect(try RunningToolstack.images(guest.homes[1].path) == [])
                }
                for step in first..<(first + length) {
                    let word = isOlder ? "" : GuestMoves.word(step)
                    // An older pool does not know how, and gets the memory as it is.
                    let moved = try await Self.migrate(guest, word, compresses: isOlder || Bool.random(using: &random))
                    #expect(moved.succeeded, "\(moved.errors)")
                    #expect(try await guest.settle(), "\(word)")
                    try guest.land()
                    let image = try RunningToolstack.images(guest.homes[0].path)[0]
                    #expect(isOlder || image.hasSuffix("." + GuestMoves.format(after: step)), "\(image)")
                    #expect(try await guest.pools.there.call("VDI.get_all").items == [])
                    #expect(try await guest.pools.there.call("VBD.get_all").items == [])
                    try await guest.expectItRuns(word)
                }
                if !isOlder { try await Self.goSuspended(&guest) }
                try await Self.finish(guest, scratch)
            }
        }

        /// As an administrator types it; `format`: empty for none.
        private static func migrate(
            _ guest: Traveller, _ format: String, compresses: Bool
        ) async throws -> Tool.Outcome {
            let uuid = try await guest.pools.here.text("VDI.get_uuid", .string(guest.disk()))
            let sr = try await guest.pools.there.text("SR.get_uuid", .string(guest.homes[1].ref))
            let words =
                ["vdi:\(uuid)=\(sr)", "live=true"] + (format.isEmpty ? [] : ["image-format:\(uuid)=\(format)"])
                + (compresses ? ["compress=true"] : [])
            return try await guest.pools.migrate(try await guest.vm(), words)
        }

        /// The guest is suspended, moved, and resumed there: its memory is where the other pool would have put it.
        private static func goSuspended(_ guest: inout Traveller) async throws {
            for (toolstack, home) in [(guest.pools.here, guest.homes[0]), (guest.pools.there, guest.homes[1])] {
                let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
                try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(home.ref))
            }
            try await expectNoCopy(guest, "halted, suspended", "running", force: "true")
            try await guest.pools.here.call("VM.suspend", .string(guest.vm()))
            try await expectNoCopy(guest, "halted", "suspended", force: "false")
            try await copySuspended(guest)
            let task = try await guest.depart(format: "vhd")
            let arrived: String = try await guest.pools.here.session.waitForTask(task).value()
            try await guest.pools.awaitQuiet()
            guest.pools = guest.pools.back
            guest.homes.reverse()
            #expect(try await guest.vm() == arrived)
            #expect(try await guest.pools.here.text("VM.get_power_state", .string(arrived)) == "Suspended")
            let image = try await guest.pools.here.text("VM.get_suspend_VDI", .string(arrived))
            #expect(try await guest.pools.here.text("VDI.get_type", .string(image)) == "suspend")
            #expect(try RunningToolstack.images(guest.homes[0].path).count == 2)
            #expect(try RunningToolstack.images(guest.homes[1].path) == [])
            #expect(try await guest.pools.there.call("VDI.get_all").items == [])
            try await guest.pools.here.call("VM.resume", .string(arrived), .bool(false), .bool(false))
            try guest.reconnect()
            try await guest.expectItRuns("resumed")
            #expect(try RunningToolstack.images(guest.homes[0].path).count == 1)
        }

        private static func expectNoCopy(
            _ guest: Traveller, _ expected: String, _ actual: String, force: String
        ) async throws {
            let task = try await guest.depart(options: [("copy", "true"), ("force", force)])
            let ended = try await guest.pools.here.session.waitForTask(task)
            #expect(ended.errorInfo == ["VM_BAD_POWER_STATE", try await guest.vm(), expected, actual])
        }

        /// A copy of a suspended machine is suspended, too, goes on by itself, and leaves the machine as it is.
        private static func copySuspended(_ guest: Traveller) async throws {
            let there = guest.pools.there
            let task = try await guest.depart(format: "qcow2", options: [("copy", "true"), ("force", "true")])
            let copy: String = try await guest.pools.here.session.waitForTask(task).value()
            try await guest.pools.awaitQuiet()
            #expect(try await there.text("VM.get_uuid", .string(copy)) != guest.uuid)
            #expect(try await there.text("VM.get_power_state", .string(copy)) == "Suspended")
            #expect(try RunningToolstack.images(guest.homes[1].path).count == 2)
            #expect(try RunningToolstack.images(guest.homes[0].path).count == 2)
            try await there.call("VM.resume", .string(copy), .bool(false), .bool(false))
            #expect(try await there.text("VM.get_power_state", .string(copy)) == "Running")
            try await there.call("VM.hard_shutdown", .string(copy))
            try await there.call("VM.destroy", .string(copy))
            for vdi in try await there.call("VDI.get_all").items ?? [] { try await there.call("VDI.destroy", vdi) }
        }

        /// A guest that runs takes its checkpoint along, which its disk stands on, and which is what it was; the disc in its drive
        /// stays. Both sides are compared before. There it can go on from the checkpoint.
        @Test func aGuestGoesToAnotherPoolWithItsSnapshotAndWithoutItsDisc() async throws {
            var random = SeededRandom.printed()
            let scratch = try ScratchFolder("fs")
            let raw = scratch.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 48 << 20, files: 4, random: &random)
            try await TwoPools.run { pools in
                var guest = try await Self.traveller(pools, raw, format: "qcow2", hasDisc: true)
                #expect(try await Self.drives(guest) == [false])
                for (toolstack, home) in [(pools.here, guest.homes[0]), (pools.there, guest.homes[1])] {
                    let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
                    try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(home.ref))
                }
                _ = try await pools.here.text("VM.checkpoint", .string(guest.vm()), .string("s"))
                _ = try await guest.console.waitFor(moreWrites: 2)
                let before = try await Self.snapshot(guest, scratch.file("before"))
                // By the pool's word.
                let pool = try await pools.here.call("pool.get_all").items?.first?.text ?? ""
                try await pools.here.call("pool.set_migration_compression", .string(pool), .bool(true))
                // One that stays has its disc again.
                try pools.here.failures.set(.fail, at: "departure-sending")
                let failed = try await pools.here.session.waitForTask(try await guest.depart(format: "vhd"))
                #expect(failed.status == "failure", "\(failed)")
                try pools.here.failures.clear()
                try await pools.awaitNoMoves()
                try await pools.awaitQuiet()
                #expect(try await Self.drives(guest) == [false])
                let task = try await guest.depart(format: "vhd", options: [("verify", "true")])
                let arrived: String = try await pools.here.session.waitForTask(task).value()
                try await Self.expectCompressed(pools.here, task)
                try await pools.awaitQuiet()
                try guest.land()
                #expect(try await guest.vm() == arrived)
                try await guest.expectItRuns("with a snapshot")
                #expect(try await Self.drives(guest) == [true])
                #expect(try RunningToolstack.images(guest.homes[1].path) == [])
                let after = try await Self.snapshot(guest, scratch.file("after"))
                #expect(Bytes.areEqual(before, after))
                // Disk and snapshot stand on a third image, which has what they share; and there is the memory.
                #expect(try RunningToolstack.images(guest.homes[0].path).count == 4)
                let checkpoint = try await guest.pools.here.call("VM.get_snapshots", .string(arrived)).items?.first
                let latest = guest.console.latest?.writes ?? 0
                try await guest.pools.here.call("VM.revert", try #require(checkpoint))
                try await guest.pools.here.call("VM.resume", .string(arrived), .bool(false), .bool(false))
                try guest.reconnect()
                let first = try await guest.console.waitForFirst()
                let checked = try await guest.console.verify()
                #expect(checked.isClean && first.writes < latest, "\(first), \(checked) after \(latest)")
                try await Self.finish(guest, scratch)
            }
        }

        /// The guest's memory took less than it is on its way.
        private static func expectCompressed(_ toolstack: RunningToolstack, _ task: String) async throws {
            let told = try await toolstack.call("task.get_other_config", .string(task))
            #expect(told.member("memory_compression")?.text == "zstd")
            let names = ["memory_bytes_total", "memory_bytes_sent", "memory_bytes_on_wire"]
            let counts = names.map { told.member($0)?.text.flatMap(UInt64.init) ?? 0 }
            print("the guest's memory:", zip(names, counts).map { "\($0) \($1)" }.joined(separator: ", "))
            #expect(counts[2] > 0 && counts[2] < counts[1], "\(counts)")
        }

        /// What the disk of the machine's only snapshot holds.
        private static func snapshot(_ guest: Traveller, _ path: String) async throws -> [UInt8] {
            let toolstack = guest.pools.here
            let all = try await toolstack.call("VM.get_snapshots", .string(guest.vm())).items ?? []
            #expect(all.count == 1)
            var vdi = ""
            for drive in try await toolstack.call("VM.get_VBDs", try #require(all.first)).items ?? []
            where try await toolstack.text("VBD.get_type", drive) == "Disk" {
                vdi = try await toolstack.text("VBD.get_VDI", drive)
            }
            _ = try await toolstack.session.download(
                from: "/export_raw_vdi", query: [("vdi", vdi), ("format", "raw")], to: path, onProgress: { _ in })
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }

        private enum Fault: String, Sendable {
            case toolstackHere, toolstackThere, guestThere, datapathHere, datapathThere, cancelled, shutDown
            /// It says nothing any more, and closes nothing.
            case silentThere
        }

        private struct Trouble: Sendable {
            let point: String
            let fault: Fault
            /// Where the guest is in the end. Nil: here, or there where the question is put again in time.
            let landsThere: Bool?
        }

        private static let troubles = [
            Trouble(point: "departure-mirrored", fault: .toolstackHere, landsThere: false),
            Trouble(point: "departure-sending", fault: .toolstackHere, landsThere: false),
            Trouble(point: "departure-standing", fault: .toolstackHere, landsThere: false),
            Trouble(point: "departure-held", fault: .toolstackHere, landsThere: false),
            Trouble(point: "departure-after-prepare", fault: .toolstackHere, landsThere: false),
            Trouble(point: "departure-after-commit", fault: .toolstackHere, landsThere: true),
            Trouble(point: "departure-after-run", fault: .toolstackHere, landsThere: true),
            Trouble(point: "departure-after-remove", fault: .toolstackHere, landsThere: true),
            Trouble(point: "arrival-after-expect", fault: .toolstackThere, landsThere: nil),
            Trouble(point: "arrival-before-prepare", fault: .toolstackThere, landsThere: false),
            Trouble(point: "arrival-after-prepare", fault: .toolstackThere, landsThere: false),
            Trouble(point: "arrival-before-run", fault: .toolstackThere, landsThere: true),
            Trouble(point: "arrival-noted-running", fault: .toolstackThere, landsThere: true),
            Trouble(point: "arrival-after-run", fault: .toolstackThere, landsThere: true),
            Trouble(point: "departure-sending", fault: .guestThere, landsThere: false),
            Trouble(point: "departure-standing", fault: .guestThere, landsThere: false),
            Trouble(point: "departure-held", fault: .guestThere, landsThere: false),
            Trouble(point: "departure-after-commit", fault: .guestThere, landsThere: false),
            Trouble(point: "departure-sending", fault: .datapathHere, landsThere: true),
            Trouble(point: "departure-settled", fault: .datapathHere, landsThere: true),
            Trouble(point: "departure-standing", fault: .datapathThere, landsThere: true),
            Trouble(point: "departure-after-commit", fault: .datapathThere, landsThere: true),
            Trouble(point: "departure-settled", fault: .silentThere, landsThere: false),
            Trouble(point: "departure-sending", fault: .cancelled, landsThere: false),
            Trouble(point: "departure-standing", fault: .cancelled, landsThere: false),
            Trouble(point: "departure-after-commit", fault: .shutDown, landsThere: true),
        ]

        /// One guest sets out again and again, and each time something dies: it goes on where it was, or there, never both, never
        /// neither, with all it has written, and without anybody's help.
        @Test func aGuestRunsHereOrThereWhateverDies() async throws {
            var random = SeededRandom.printed()
            let scratch = try ScratchFolder("fs")
            let raw = scratch.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 48 << 20, files: 4, random: &random)
            try await TwoPools.run { pools in
                var guest = try await Self.traveller(pools, raw, format: "raw")
                let compresses = Bool.random(using: &random)
                print("memory is compressed:", compresses)
                for toolstack in [pools.here, pools.there] {
                    let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
                    try await toolstack.call("pool.set_migration_compression", .string(pool), .bool(compresses))
                }
                for trouble in GateShare.some(2, of: Self.troubles, "what dies while a guest moves") {
                    let what = "\(trouble.fault) at \(trouble.point)"
                    switch trouble.fault {
                    case .toolstackHere: try await Self.dies(guest.pools.here, at: trouble.point, guest)
                    case .toolstackThere: try await Self.dies(guest.pools.there, at: trouble.point, guest)
                    default: try await Self.suffer(trouble, guest)
                    }
                    let isThere = try await guest.settle()
                    #expect(isThere == trouble.landsThere ?? isThere, "\(what)")
                    if isThere { try guest.land() } else { try guest.reconnect() }
                    try await guest.expectItRuns(what)
                }
                try await Self.finish(guest, scratch)
            }
        }

        private static func dies(_ dying: RunningToolstack, at point: String, _ guest: Traveller) async throws {
            await dying.stop()
            try await dying.start(failurePoint: point)
            _ = try await guest.depart()
            await dying.awaitEnd()
            try await dying.start()
        }

        /// The move waits at the point while it happens.
        private static func suffer(_ trouble: Trouble, _ guest: Traveller) async throws {
            let (here, there) = (guest.pools.here, guest.pools.there)
            try here.failures.set(.hold, at: trouble.point)
            let task = try await guest.depart()
            while !here.failures.isHeld(at: trouble.point) {
                let status = try await here.text("task.get_status", .string(task))
                let error = try await here.call("task.get_error_info", .string(task))
                try #require(status == "pending", "\(trouble.point) was not reached: \(error)")
                try await Task.sleep(for: .milliseconds(5))
            }
            let victims: [Int32] =
                switch trouble.fault {
                case .guestThere: try there.processes("qemu-system")
                case .datapathHere: try here.processes("gantry-datapath")
                case .datapathThere: try there.processes("gantry-datapath")
                case .silentThere: try there.processes("gantryd")
                default: []
                }
            switch trouble.fault {
            case .cancelled: try await here.call("task.cancel", .string(task))
            // It may run there by now: to end what is left of it here would be no shutdown.
            case .shutDown:
                let error = await #expect(throws: APIError.self) {
                    try await here.call("VM.hard_shutdown", .string(guest.vm()))
                }
                #expect(error?.code == "OTHER_OPERATION_IN_PROGRESS", "\(error?.wire ?? [])")
            default: try #require(victims.count == 1, "\(trouble.fault) at \(trouble.point): \(victims)")
            }
            for victim in victims { kill(victim, trouble.fault == .silentThere ? SIGSTOP : SIGKILL) }
            try here.failures.release(trouble.point)
            if trouble.fault == .silentThere {
                // Its memory is not waited for.
                _ = try await guest.console.waitFor(moreWrites: 2)
                for victim in victims { kill(victim, SIGCONT) }
            }
            let status = try await here.session.waitForTask(task)
            let ended = trouble.landsThere == true ? "success" : "failure"
            let expected = trouble.fault == .cancelled ? "cancelled" : ended
            #expect(status.status == expected, "\(trouble.fault) at \(trouble.point): \(status.errorInfo)")
        }
    }
}
