import BlockIO
import Foundation
import TestSupport
import Testing

/// A command on images keeps the files that its arguments name, and little else.
@Suite struct CommandConfinementTests {
    /// Somebody puts a link to another folder in the place of the one that the command was given: it makes nothing there. Without a
    /// filter of its own the kernel would let it.
    @Test(.enabled(if: ProcessConfinement.canKeepFiles))
    func aCommandWritesWhereItWasToldToOnly() throws {
        let folder = try ScratchFolder("confined")
        let (given, other) = (folder.file("given"), folder.file("other"))
        for path in [given, other] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        let process = try GantryProcess(["image", "convert", "-f", "raw", "-O", "raw", "-", given + "/disk"])
        // It has begun, and waits for more.
        try process.say(String(repeating: "x", count: 65535))
        var partial: String?
        while partial == nil, process.process.isRunning {
            partial = try FileManager.default.contentsOfDirectory(atPath: given).first { $0.hasSuffix(".partial") }
            if partial == nil { usleep(2000) }
        }
        let name = try #require(partial)
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        #expect(status.contains("NoNewPrivs:\t1"))
        try FileManager.default.linkItem(atPath: given + "/" + name, toPath: other + "/" + name)
        try FileManager.default.moveItem(atPath: given, toPath: folder.file("away"))
        try FileManager.default.createSymbolicLink(atPath: given, withDestinationPath: other)
        try process.closeInput()
        #expect(process.end() == 1)
        #expect(!FileManager.default.fileExists(atPath: other + "/disk"))
    }

    @Test func aCommandStartsNoProgramAndMakesNoSocket() async {
        await #expect(processExitsWith: .success) {
            _ = ProcessConfinement.giveUpCalls(network: false)
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            // A sanitizer's build and an old kernel have no filter.
            if status.contains("Seccomp:\t2") {
                #expect(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) == -1 && errno == EPERM)
                #expect(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) == -1 && errno == EPERM)
                #expect(throws: (any Error).self) { try Tool.run("true", []) }
            }
        }
    }
}
