import BlockIO
import CLinux
import CoreTypes
import DiskImages
import Foundation
import TestSupport
import Testing

@testable import Datapath

/// What the process of an upload or a download may take.
@Suite struct TransferLimitsTests {
    private static let shell = ImageTransferTests.shell

    private static let mebibyte: UInt64 = 1 << 20

    @Test func limitsGrowWithTheDiskAndFitIt() {
        let mebibyte = Self.mebibyte
        let small = TransferLimits.importing(
            diskSize: 8 * mebibyte, imageLength: mebibyte, largestSpill: 80 * mebibyte)
        #expect(small.seconds == 602)
        #expect(small.addressSpace == 4096 * mebibyte)
        // The file, twice the disk, a sixteenth of it, and 64 MiB.
        #expect(small.fileLength == 81 * mebibyte + mebibyte / 2)
        let tebibyte = mebibyte * mebibyte
        let device = TransferLimits.importing(
            diskSize: 2 * tebibyte, imageLength: nil, largestSpill: 5 * tebibyte)
        #expect(device.seconds == 600 + 512 * 1024)
        #expect(device.fileLength == 5 * tebibyte)
        for size in [UInt64.max, UInt64.max / 2] {
            let huge = TransferLimits.importing(diskSize: size, imageLength: size, largestSpill: size)
            #expect(huge.fileLength == nil)
        }
        #expect(TransferLimits.exporting(diskSize: 0, toFile: true).fileLength == nil)
        #expect(TransferLimits.exporting(diskSize: 0, toFile: false).fileLength == 65536)
    }

    @Test func aTransferIsHeldToItsLimitsAndSaysSo() throws {
        let folder = try ScratchFolder("limits")
        let image = folder.file("image")
        try Tool.check("truncate", ["-s", "8M", image])
        // The stream has begun and not ended: the process waits for more of it.
        let outcome = try Self.shell(
            """
            mkfifo \(folder.file("stream"))
            $DP import --image \(image) --format raw --as raw <\(folder.file("stream")) & pid=$!
            exec 3>\(folder.file("stream"))
            until grep -qE '^Max cpu time +602' /proc/$pid/limits && grep -qE '^Max open files +256 ' /proc/$pid/limits
            do kill -0 $pid || exit 9; sleep 0.02; done
            cat /proc/$pid/limits
            kill -XCPU $pid; wait $pid
            """)
        #expect(outcome.status == 1 && outcome.errors.contains("\"limitExceeded\""), "\(outcome.errors)")
        var limits: [String: [Substring]] = [:]
        for line in outcome.output.split(separator: "\n") where line.hasPrefix("Max") {
            let name: String = line.prefix(26).trimmingCharacters(in: .whitespaces)
            limits[name] = line.dropFirst(26).split(separator: " ")
        }
        func both(_ name: String) -> [Substring] { Array((limits[name] ?? []).prefix(2)) }
        #expect(both("Max cpu time") == ["602", "662"])
        #expect(both("Max core file size") == ["0", "0"])
        #expect(both("Max open files") == ["256", "256"])
        let length = Substring(String(88 * Self.mebibyte + Self.mebibyte / 2))
        #expect(both("Max file size") == [length, length])
        // A sanitizer needs the address space.
        if !gantry_is_sanitized() { #expect(both("Max address space") == ["4294967296", "4294967296"]) }
    }

    /// A limit that is lower already stays, and ends the transfer with an error, not with a signal.
    @Test func aFileThatMayNotGrowIsAnError() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("limits")
        let (upload, image) = (folder.file("upload"), folder.file("image"))
        try Data(random.bytes(4 << 20)).write(to: URL(fileURLWithPath: upload))
        try DiskImage.create(path: image, format: .qcow2, size: 4 << 20).close()
        let outcome = try Self.shell(
            "cat \(upload) | (ulimit -f 1024; $DP import --image \(image) --format qcow2 --as raw)")
        #expect(outcome.status == 1 && outcome.errors.contains("\"noSpace\""), "\(outcome.errors)")
        // The file cannot be made to reach its last cluster, so no entry names what was counted already: clusters may be
        // lost (status 3), nothing is damaged, and a repair gives them back.
        let check = try Tool.run("qemu-img", ["check", "-q", "-f", "qcow2", image])
        #expect(check.status == 0 || check.status == 3, "\(check.errors)")
        try Tool.check("qemu-img", ["check", "-q", "-f", "qcow2", "-r", "leaks", image])
        try Tool.check("qemu-img", ["check", "-q", "-f", "qcow2", image])
    }

    @Test func aDownloadIntoAFileHasNoLimitOfLength() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("limits")
        let (image, download) = (folder.file("image"), folder.file("download"))
        try Data(random.bytes(1 << 20)).write(to: URL(fileURLWithPath: image))
        let outcome = try Self.shell("$DP export --image \(image) --format raw --as raw >\(download)")
        #expect(outcome.succeeded, "\(outcome.errors)")
        try Tool.check("cmp", [image, download])
    }
}
