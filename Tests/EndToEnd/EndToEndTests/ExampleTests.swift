import Foundation
import TestSupport
import Testing
import XenAPIClient
import XenAPIExamples

extension EndToEnd {
    @Suite struct Examples {
        /// The code of the SDK's articles, at work on a daemon: a disk is made from an image, listed, marked, moved,
        /// found, copied, backed up and removed.
        @Test func theExamplesOfTheSDKDoWhatTheySay() async throws {
            var random = SeededRandom.printed()
            try await withToolstack { toolstack in
                let session = try toolstack.session
                let folder = toolstack.folder
                let model = folder.file("model.raw")
                try Data(random.bytes(1 << 20) + [UInt8](repeating: 0, count: 3 << 20)).write(
                    to: URL(fileURLWithPath: model))
                let image = folder.file("image.qcow2")
                try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", model, image])
                let first = Ref<SR>(try await toolstack.makeRepository("a", formats: "qcow2").ref)
                let second = Ref<SR>(try await toolstack.makeRepository("b", formats: "vhd").ref)

                async let found = waitForDisk(named: "example", session)
                let disk = try await createDisk(
                    "example", size: 4 << 20, in: first, from: image, format: .qcow2, session)
                #expect(try await found == disk)
                #expect(try await listDisks(session).contains("example: 4194304 bytes, qcow2, in a"))
                await #expect(throws: XenAPIFailure.self) {
                    _ = try await createDisk("small", size: 1 << 20, in: first, from: image, format: .qcow2, session)
                }
                #expect(try await session.vdi.getByNameLabel("small") == [])

                try await tagDisk(disk, department: "physics", session)
                let marked = try await session.vdi.getRecord(disk)
                #expect(marked.tags == ["physics"] && marked.otherConfig["department"] == "physics")

                var last = 0.0
                let moved = try await moveDisk(disk, to: second, format: .vhd, session) { last = $0.progress }
                #expect(last == 1)
                #expect(try await listDisks(session).contains("example: 4194304 bytes, vhd, in b"))

                let copy = try await session.vdi.create(
                    VDICreation(nameLabel: "copy", sr: first, virtualSize: 4 << 20, type: .user))
                try await copyContent(of: moved, session, into: copy, session)
                for (number, source) in [moved, copy].enumerated() {
                    let backup = folder.file("backup\(number)")
                    try await backUpDisk(source, to: backup, session)
                    try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", model, backup])
                }

                let plugged = try await toolstack.plugHere(copy.opaque)
                #expect(try await !destroyDisk(copy, session))
                try await session.vbd.unplug(Ref(plugged.vbd))
                try await session.vbd.destroy(Ref(plugged.vbd))
                for disk in [copy, moved, moved] { #expect(try await destroyDisk(disk, session)) }

                let pem = toolstack.stateDirectory + "/tls/certificate.pem"
                let shown = try Tool.check("openssl", ["x509", "-in", pem, "-noout", "-fingerprint", "-sha256"])
                let digits = shown.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: "=").last ?? ""
                let fingerprint = try #require(CertificateFingerprint(String(digits)))
                let port = try #require(URL(string: toolstack.httpsURL)?.port)
                let left = try await atServer(
                    "127.0.0.2", port: port, password: toolstack.password, fingerprint: fingerprint
                ) { try await listDisks($0) }
                #expect(left == [])
            }
        }
    }
}
