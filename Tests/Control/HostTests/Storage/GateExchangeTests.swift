import APITypes
import Foundation
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

@Suite struct GateExchangeTests {
    /// Whoever wants another gate, and however many do at once: the next one begins when the last one is gone, with what was its.
    @Test func oneGateIsGoneBeforeTheNextOneComes() async throws {
        let host = try await OperationHost()
        let (program, log) = (host.folder.file("gate"), host.folder.file("log"))
        let script = "#!/bin/sh\necho begins >> \(log)\ncat > /dev/null\nsleep 0.05\necho ends >> \(log)\n"
        _ = FileManager.default.createFile(
            atPath: program, contents: Data(script.utf8), attributes: [.posixPermissions: 0o755])
        try await host.database.transaction { tx in
            for pif in tx.rows(PIF.self) {
                try tx.set(pif.typedRef(PIF.self), PIF.ip, "127.0.0.1")
                try tx.set(pif.typedRef(PIF.self), PIF.currentlyAttached, true)
                try tx.set(pif[PIF.network], Network.purpose, [.insecureNBD])
            }
        }
        let exports = DiskExports(
            context: await host.toolstack.services.exports.context,
            settings: DiskExports.Settings(program: program, folder: host.folder.file("nbd"), port: 0))
        await exports.open(host.toolstack.dispatcher)
        await exports.open { DiskExports.Identity(certificateFile: "", keyFile: "", subject: "host") }
        await withTaskGroup(of: Void.self) { group in
            for round in 0..<8 {
                group.addTask { await round % 2 == 0 ? exports.certificateChanged() : exports.refresh() }
            }
        }
        await exports.stop()
        let words = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(words.count >= 4, "the network has no gate")
        for (index, word) in words.enumerated() { #expect(word == (index % 2 == 0 ? "begins" : "ends")) }
        await host.toolstack.stop()
    }
}
