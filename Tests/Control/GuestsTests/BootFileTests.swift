import Foundation
import TestSupport
import Testing

@testable import Guests

/// Which files of the host a guest may be given.
@Suite struct BootFileTests {
    private static func refusal(_ kernel: String, _ ramdisk: String?, _ files: BootFiles) -> [String]? {
        do throws(BootFiles.Refusal) {
            _ = try files.resolved(.kernel(kernel: kernel, initrd: ramdisk, arguments: ""))
            return nil
        } catch {
            return [error.parameter, error.file, error.reason]
        }
    }

    @Test func guestsBootFromTheHostsFoldersOnly() throws {
        let folder = try ScratchFolder("boot")
        let manager = FileManager.default
        let allowed = folder.file("allowed")
        for name in ["allowed", "allowed/inner", "allowed-not", "elsewhere"] {
            try manager.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
        }
        for name in ["allowed/kernel", "allowed/inner/ramdisk", "allowed-not/kernel", "elsewhere/secret"] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        func link(_ name: String, _ target: String) throws {
            try manager.createSymbolicLink(atPath: folder.file(name), withDestinationPath: folder.file(target))
        }
        try link("allowed/good", "allowed/inner/ramdisk")
        try link("allowed/bad", "elsewhere/secret")
        try link("into", "allowed/kernel")
        try link("other", "elsewhere")
        let files = BootFiles(folders: [folder.file("none"), allowed])
        let names = "[\(folder.file("none"))/; \(allowed)/]"
        let outside = "Is not in any of the allowed kernel directories: \(names)"
        let kernel = folder.file("allowed/kernel")
        for (parameter, file, reason) in [
            ("kernel", folder.file("elsewhere/secret"), outside),
            ("kernel", folder.file("allowed-not/kernel"), outside),
            ("kernel", folder.file("allowed/../elsewhere/secret"), outside),
            ("ramdisk", folder.file("allowed/bad"), outside), ("ramdisk", "/etc/shadow", outside),
            ("kernel", folder.file("allowed/missing"), "File does not exist"), ("ramdisk", "", "File does not exist"),
            ("kernel", folder.file("allowed/inner"), "Is not a regular file"),
            ("ramdisk", "/dev/zero", "Is not a regular file"),
            ("kernel", kernel + "/x", "Not a directory"),
        ] {
            let isKernel = parameter == "kernel"
            #expect(
                Self.refusal(isKernel ? file : kernel, isKernel ? nil : file, files) == [parameter, file, reason],
                "\(file)")
        }
        let links = GuestSpecification.Boot.kernel(
            kernel: folder.file("into"), initrd: folder.file("allowed/good"), arguments: "a")
        let real = GuestSpecification.Boot.kernel(
            kernel: kernel, initrd: folder.file("allowed/inner/ramdisk"), arguments: "a")
        #expect(try files.resolved(links) == real)
        #expect(try files.resolved(.disk) == .disk)
        // The folder is what its name leads to.
        #expect(Self.refusal(folder.file("elsewhere/secret"), nil, BootFiles(folders: [folder.file("other")])) == nil)
        #expect(BootFiles().folders == ["/var/lib/xcp/guest"])
    }

    /// Whoever asks for the guest: the Toolstack, or another host.
    @Test func noGuestIsStartedWithAnotherFile() async throws {
        let folder = try ScratchFolder("boot")
        let secret = folder.file("secret")
        try Data("x".utf8).write(to: URL(fileURLWithPath: secret))
        let host = GuestHost(runDirectory: folder.file("r"), acceleration: .tcg, logger: GuestHost.silent)
        let specification = GuestSpecification(
            uuid: UUID().uuidString.lowercased(), name: "", memoryBytes: 64 << 20, vcpus: 1,
            boot: .kernel(kernel: secret, initrd: nil, arguments: ""), disks: [])
        let refusal = await #expect(throws: GuestError.self) { try await host.start(specification) }
        #expect(refusal?.code == .invalidSpecification && refusal?.message.contains(secret) == true)
        #expect(host.state(specification.uuid) == nil)
    }
}
