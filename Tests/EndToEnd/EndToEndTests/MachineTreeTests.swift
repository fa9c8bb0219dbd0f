import BlockIO
import Foundation
import NBDTransport
import RPCCodec
import Synchronization
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Snapshots, copies and reverts of whole machines.
    @Suite struct MachineTrees {
        /// Writes a number to one disk, and when that is answered to another, then the next number.
        private final class Alternation: Sendable {
            private let disks: [NBDClient]
            private let isStopping = Atomic<Bool>(false)
            private let outcome = Mutex<(written: UInt64, failure: String?)>((0, nil))
            private let thread = Mutex<WorkerThread?>(nil)

            init(_ sockets: [String]) throws {
                disks = try sockets.map {
                    try NBDClient.connect(unixSocket: $0, exportName: "disk", readOnly: false)
                }
            }

            var written: UInt64 { outcome.withLock { $0.written } }

            func start() {
                let worker = WorkerThread("alternation") { [self] in
                    var number: UInt64 = 0
                    while !isStopping.load(ordering: .acquiring) {
                        number += 1
                        do {
                            for disk in disks { try Self.write(number, to: disk) }
                        } catch {
                            outcome.withLock { $0.failure = "\(error)" }
                            return
                        }
                        outcome.withLock { $0.written = number }
                    }
                }
                thread.withLock { $0 = worker }
            }

            /// What failed; nil when nothing did.
            func stop() throws -> String? {
                isStopping.store(true, ordering: .releasing)
                thread.withLock { $0 }?.join()
                for disk in disks { try disk.close() }
                return outcome.withLock { $0.failure }
            }

            private static func write(_ number: UInt64, to disk: NBDClient) throws {
                let text = String(number)
                let block = Array(text.utf8) + [UInt8](repeating: 0x20, count: 512 - text.utf8.count)
                // SAFETY: the array's own bytes, for the time of the call.
                try unsafe block.withUnsafeBytes { try unsafe disk.write($0, at: 0) }
            }
        }

        /// The number that a disk holds.
        private func number(on vdi: String, _ toolstack: RunningToolstack) async throws -> UInt64 {
            let path = toolstack.folder.file("export-\(UUID().uuidString)")
            _ = try await toolstack.session.download(
                from: "/export_raw_vdi", query: [("vdi", vdi), ("format", "raw")], to: path, onProgress: { _ in })
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            let text = String(decoding: try file.read(upToCount: 512) ?? Data(), as: UTF8.self)
            return UInt64(text.trimmingCharacters(in: CharacterSet(charactersIn: " \0"))) ?? 0
        }

        private func machine(_ toolstack: RunningToolstack, _ sr: String) async throws -> (vm: String, disks: [String])
        {
            let vm = try await toolstack.text("VM.create", .members(Self.blank))
            var disks: [String] = []
            for (position, format) in ["qcow2", "raw"].enumerated() {
                let vdi = try await toolstack.makeDisk(in: sr, bytes: 4 << 20, format: format)
                _ = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: String(position))
                disks.append(vdi)
            }
            return (vm, disks)
        }

        private static let blank: [(name: String, value: WireValue)] = [
            ("name_label", .string("machine")), ("name_description", .string("")), ("user_version", .string("1")),
            ("is_a_template", .bool(false)), ("affinity", .string("OpaqueRef:NULL")),
            ("memory_static_max", .string("268435456")), ("memory_dynamic_max", .string("268435456")),
            ("memory_dynamic_min", .string("268435456")), ("memory_static_min", .string("0")),
            ("VCPUs_params", .members([])), ("VCPUs_max", .string("1")), ("VCPUs_at_startup", .string("1")),
            ("actions_after_shutdown", .string("destroy")), ("actions_after_reboot", .string("restart")),
            ("actions_after_crash", .string("destroy")), ("PV_bootloader", .string("")), ("PV_kernel", .string("")),
            ("PV_ramdisk", .string("")), ("PV_args", .string("")), ("PV_bootloader_args", .string("")),
            ("PV_legacy_args", .string("")), ("HVM_boot_policy", .string("BIOS order")),
            ("HVM_boot_params", .members([])), ("platform", .members([])), ("PCI_bus", .string("")),
            ("other_config", .members([])), ("recommendations", .string("")),
        ]

        /// The disks in a machine's drives, by position.
        private func disks(of vm: String, _ toolstack: RunningToolstack) async throws -> [String] {
            var found: [(position: String, vdi: String)] = []
            for vbd in try await toolstack.call("VM.get_VBDs", .string(vm)).items ?? [] {
                let record = try await toolstack.call("VBD.get_record", vbd)
                found.append((record.member("userdevice")?.text ?? "", record.member("VDI")?.text ?? ""))
            }
            return found.sorted { $0.position < $1.position }.map(\.vdi)
        }

        /// Who writes to one disk only what the other has never loses that order in a snapshot.
        @Test func theDisksOfASnapshotAreOfOneMoment() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2")
                let (vm, disks) = try await machine(toolstack, sr.ref)
                var plugged: [(vbd: String, socket: String)] = []
                for disk in disks { plugged.append(try await toolstack.plugHere(disk)) }
                let writer = try Alternation(plugged.map(\.socket))
                writer.start()
                var snapshots: [String] = []
                for round in 0..<4 {
                    let before = writer.written
                    while writer.written < before + 20 { try await Task.sleep(for: .milliseconds(2)) }
                    snapshots.append(
                        try await toolstack.text("VM.snapshot", .string(vm), .string("s\(round)"), .array([])))
                }
                #expect(try writer.stop() == nil)
                var last: UInt64 = 0
                for snapshot in snapshots {
                    let kept = try await self.disks(of: snapshot, toolstack)
                    let first = try await number(on: kept[0], toolstack)
                    let second = try await number(on: kept[1], toolstack)
                    #expect(first == second || first == second + 1, "\(first) and \(second)")
                    #expect(second > last)
                    last = second
                }
                for disk in plugged { try await toolstack.call("VBD.unplug", .string(disk.vbd)) }
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// kill -9 of the toolstack at each step: there is the whole machine or none, and no disk that belongs to nobody.
        @Test func theToolstackDiesAtEachStep() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2")
                let (vm, _) = try await machine(toolstack, sr.ref)
                let snapshot = try await toolstack.text("VM.snapshot", .string(vm), .string("s"), .array([]))
                let none = WireValue.string("OpaqueRef:NULL")
                var expected = try await counts(toolstack)
                for (point, method, parameters, isDone) in [
                    ("machine-volume-1", "VM.snapshot", [.string(vm), .string("n"), .array([])], false),
                    ("machine-copy-1", "VM.copy", [.string(vm), .string("n"), none], false),
                    ("machine-volumes", "VM.revert", [.string(snapshot)], false),
                    ("revert-committed", "VM.revert", [.string(snapshot)], false),
                    ("machine-committed", "VM.clone", [.string(vm), .string("n")], true),
                ] as [(String, String, [WireValue], Bool)] {
                    let before = try await disks(of: vm, toolstack)
                    await toolstack.stop()
                    try await toolstack.start(failurePoint: point)
                    try await toolstack.dies(at: point) {
                        _ = try await toolstack.session.call(method, parameters)
                    }
                    try await toolstack.start()
                    if isDone { expected = (expected.machines + 1, expected.disks + 2) }
                    let found = try await counts(toolstack)
                    #expect(found == expected, "\(method) killed at \(point)")
                    let after = try await disks(of: vm, toolstack)
                    #expect((after == before) == (point != "revert-committed"), "\(method) killed at \(point)")
                }
                // A scan finds nothing that has no row.
                try await toolstack.call("SR.scan", .string(sr.ref))
                #expect(try await counts(toolstack) == expected)
                let rows = try await toolstack.call("SR.get_VDIs", .string(sr.ref)).items?.count
                #expect(try RunningToolstack.images(sr.path).count == rows)
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Machines, and disks that are not what others stand on.
        private func counts(_ toolstack: RunningToolstack) async throws -> (machines: Int, disks: Int) {
            let machines = try await toolstack.call("VM.get_all").items?.count ?? 0
            var disks = 0
            for vdi in try await toolstack.call("VDI.get_all").items ?? []
            where try await toolstack.call("VDI.get_managed", vdi) == .bool(true) { disks += 1 }
            return (machines, disks)
        }
    }
}
