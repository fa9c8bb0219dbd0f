import DatapathControl
import Foundation
import TestSupport
import Testing

@testable import Datapath

/// kill -9 of either side in the middle of a copy to an export: what is repeated is a region at most, and the pieces that were on
/// their way.
@Suite struct DatapathRegionTests: ImagesOfOneSize {
    static let size: UInt64 = 160 << 20
    private static let region: UInt64 = 64 << 20
    /// Four, of a mebibyte each.
    private static let pieces: UInt64 = 4 << 20
    /// More than a region in the time in which nothing would be flushed by time alone.
    private static let rate: UInt64 = 96 << 20

    private func sameBytes(in folder: ScratchFolder) throws -> UInt64 {
        guard let bytes = FileManager.default.contents(atPath: folder.file("map")) else { return 0 }
        return bytes.dropFirst(4096).reduce(0) { $0 + UInt64($1.nonzeroBitCount) * 65536 }
    }

    @Test(arguments: [false, true]) func aKillRepeatsARegion(ofServer: Bool) async throws {
        // A machine that has no time for the keeper, or for the server's flush, is asked again.
        for isLast in [false, false, true] {
            if try await isRegionRepeated(ofServer: ofServer, isLast: isLast) { return }
        }
    }

    /// Whether no more was repeated. `isLast`: records an issue when it was more.
    private func isRegionRepeated(ofServer: Bool, isLast: Bool) async throws -> Bool {
        let (folder, far) = (try ScratchFolder("dp", inMemory: true), try ScratchFolder("far", inMemory: true))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.raw", "raw"))
        var server = try DatapathProcess(far, image: b.path, format: b.format)
        let remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        var process = try DatapathProcess(folder, image: a.path, format: a.format, mirrorMap: true)
        let client = try process.connect()
        for place in stride(from: 0, to: Self.size, by: 32 << 20) { try fill(client, 1, at: place, count: 32 << 20) }
        _ = try process.control.callBlocking(.mirrorStart(destination: remote, bytesPerSecond: Self.rate))
        var told: UInt64 = 0
        try await reach("most of it is copied") {
            let mirror = try #require(try process.status().mirror)
            try #require(mirror.phase != .broken)
            told = mirror.copiedBytes
            return told >= 112 << 20
        }
        if ofServer {
            server.kill()
            server = try DatapathProcess(far, image: b.path, format: b.format)
            let mirror = try process.awaitPhase(.synchronised)
            #expect(try #require(mirror.details).retries > 0)
            let isKept = mirror.copiedBytes <= Self.size + Self.region + Self.pieces
            if !isKept, !isLast {
                print("asked again: \(mirror.copiedBytes >> 20) MiB were copied")
                process.kill()
                server.kill()
                return false
            }
            #expect(isKept, "\(mirror.copiedBytes >> 20) MiB")
        } else {
            process.kill()
            let known = try sameBytes(in: folder)
            let isKept = known + Self.region + Self.pieces >= told
            if !isKept, !isLast {
                print("asked again: \(known >> 20) of \(told >> 20) MiB are known")
                server.kill()
                return false
            }
            #expect(isKept, "\(known >> 20) of \(told >> 20) MiB")
            process = try DatapathProcess(folder, image: a.path, format: a.format, mirrorMap: true)
            _ = try process.control.callBlocking(.mirrorStart(destination: remote, bytesPerSecond: 0, resume: true))
            let mirror = try process.awaitPhase(.synchronised)
            #expect(try #require(mirror.details).resumedBytes == known && mirror.copiedBytes == Self.size - known)
        }
        _ = try process.control.callBlocking(.mirrorVerify)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
        return true
    }
}
