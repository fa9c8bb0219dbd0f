import Foundation
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct QuickTests {
        /// The self-test runs over TCP with a password, passes, and leaves nothing; disks of a killed run go by `--clean`,
        /// others stay. NBD clients are served on the host's network, with its certificate.
        @Test func theSelfTestPassesAndLeavesNothing() async throws {
            try await withToolstack(options: ["--nbd-port", "0"]) { toolstack in
                let host = try await toolstack.session.host.getAll()[0]
                let interface = try await toolstack.session.host.getManagementInterface(host)
                let network = try await toolstack.session.pif.get(\.network, of: interface)
                try await toolstack.session.network.addPurpose(network, value: .nbd)
                let first = try await toolstack.makeRepository("a", formats: "qcow2")
                let second = try await toolstack.makeRepository("b", formats: "vhd")
                let secret = toolstack.folder.file("secret")
                try Data((toolstack.password + "\n").utf8).write(to: URL(fileURLWithPath: secret))
                let server = ["--url", toolstack.httpURL, "--password-file", secret]
                let junit = toolstack.folder.file("report.xml")

                // Every kind of case once, and moves from and to each format between two repositories.
                let kinds =
                    #"\[a\]|\[a/qcow2\]|VDI.(create|list_changed_blocks).*raw"#
                    + #"|VDI.pool_migrate \[a/(raw -> b/vhd|vhd -> b/qcow2|qcow2 -> b/raw|raw -> b)\]"#
                    + #"|VM.migrate_send \[a/(raw -> b/vhd|vhd -> a/qcow2|qcow2 -> b/raw|qcow2 -> b)\]"#
                let arguments = server + ["--size", "4", "--seed", "1", "--junit", junit, "--filter", kinds]
                let listed = try Tool.check("quicktest", arguments + ["--list"])
                #expect(listed.contains("VDI.pool_migrate [a/raw -> b/vhd]\n"))
                let run = try Tool.run("quicktest", arguments)
                #expect(run.status == 0 && run.output.hasSuffix(" passed, 0 failed\n"), "\(run.output)\(run.errors)")
                #expect(run.output.contains("\npassed  NBD [a/qcow2]"), "\(run.output)")
                // All that were listed passed, and nothing was skipped.
                let passed = run.output.components(separatedBy: "\npassed  ").count - 1
                #expect(passed == listed.split(separator: "\n").count)
                let report = try String(contentsOfFile: junit, encoding: .utf8)
                #expect(report.contains("failures=\"0\"") && report.contains("skipped=\"0\""))
                #expect(try await toolstack.session.vdi.getAll() == [])
                let machines = try await toolstack.session.vm.getAllRecords().values
                #expect(machines.allSatisfy { $0.nameLabel != "quicktest: may be removed" })
                for place in [first.path, second.path] { #expect(try RunningToolstack.images(place) == []) }

                try expectNoTokens(toolstack)

                let session = try toolstack.session
                let marks = ["quicktest-run": "killed"]
                for (name, config) in [("quicktest: may be removed", marks), ("mine", marks), ("mine", [:])] {
                    _ = try await session.vdi.create(
                        VDICreation(
                            nameLabel: name, sr: Ref(first.ref), virtualSize: 4 << 20, type: .user,
                            otherConfig: config))
                }
                for config in [marks, [:]] { try await machine(named: "quicktest: may be removed", config, session) }
                #expect(try Tool.check("quicktest", server + ["--clean"]) == "1 disks removed\n")
                let left = try await session.vm.getAllRecords().values.filter { $0.nameLabel.hasPrefix("quicktest") }
                #expect(left.map(\.otherConfig) == [[:]])
                #expect(try await session.vdi.getAllRecords().values.map(\.nameLabel) == ["mine", "mine"])
                #expect(try Tool.run("quicktest", server + ["--sr", "c"]).status == 1)
                #expect(try Tool.run("quicktest", ["--host"]).status == 2)
            }
        }

        /// VMs go to another pool from and to each format, and are copied there; nothing is left on either side.
        @Test func theSelfTestMovesMachinesToAnotherPoolAndLeavesNothing() async throws {
            try await TwoPools.run { pools in
                let first = try await pools.here.makeRepository("a", formats: "qcow2")
                let second = try await pools.there.makeRepository("b", formats: "vhd")
                let secret = pools.here.folder.file("there")
                try Data((pools.there.password + "\n").utf8).write(to: URL(fileURLWithPath: secret))
                // Two of the directions, one of them left to the destination, and a copy.
                let kinds =
                    #"VM.migrate_send \[a/(raw -> other pool: b/vhd|qcow2 -> other pool: b)\]"#
                    + #"|VM.migrate_send copy=true \[a/vhd -> other pool: b\]"#
                let words = [
                    "--url", pools.here.httpURL, "--password", pools.here.password, "--to", pools.there.httpURL,
                    "--to-password-file", secret, "--size", "4", "--filter", kinds,
                ]
                let run = try Tool.run("quicktest", words)
                #expect(run.status == 0 && run.output.hasSuffix("\n3 passed, 0 failed\n"), "\(run.output)\(run.errors)")
                try expectNoTokens(pools.there)
                for toolstack in [pools.here, pools.there] {
                    #expect(try await toolstack.session.vdi.getAll() == [])
                    let machines = try await toolstack.session.vm.getAllRecords().values
                    #expect(machines.allSatisfy { $0.nameLabel != "quicktest: may be removed" })
                }
                for place in [first.path, second.path] { #expect(try RunningToolstack.images(place) == []) }
                #expect(try Tool.check("quicktest", words + ["--clean"]) == "0 disks removed\n0 disks removed\n")
                let unknown = try Tool.run("quicktest", words + ["--to-sr", "a"])
                #expect(unknown.status == 1 && unknown.errors.contains("the other pool's server has no SR a; it has"))
                let own = ["--url", pools.here.httpURL, "--password", pools.here.password]
                let same = try Tool.run(
                    "quicktest", own + ["--to", pools.here.httpURL, "--to-password", pools.here.password])
                #expect(same.status == 1 && same.errors.contains("the same pool"), "\(same.errors)")
            }
        }

        /// Nor sessions: each that a move was given has ended, as that of the run.
        private func expectNoTokens(_ toolstack: RunningToolstack) throws {
            let audit = try String(contentsOfFile: toolstack.stateDirectory + "/audit.log", encoding: .utf8)
            func count(_ call: String) -> Int { audit.components(separatedBy: "\"\(call)\"").count - 1 }
            #expect(count("host.migrate_receive") > 1)
            #expect(count("session.logout") > count("host.migrate_receive"))
        }

        private func machine(
            named name: String, _ config: [String: String], _ session: XenAPISession
        ) async throws {
            let memory: Int64 = 64 << 20
            _ = try await session.vm.create(
                VMCreation(
                    nameLabel: name, userVersion: 1, affinity: .null, memoryStaticMax: memory,
                    memoryDynamicMax: memory, memoryDynamicMin: memory, memoryStaticMin: memory, vcpusMax: 1,
                    vcpusAtStartup: 1, actionsAfterShutdown: .destroy, actionsAfterReboot: .restart,
                    actionsAfterCrash: .destroy, pvBootloader: "", pvKernel: "", pvRamdisk: "", pvArgs: "",
                    pvBootloaderArgs: "", pvLegacyArgs: "", hvmBootPolicy: "", pciBus: "", otherConfig: config,
                    recommendations: ""))
        }
    }
}
