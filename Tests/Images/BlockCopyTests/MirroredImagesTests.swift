import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TestSupport
import Testing

/// The mirror over image files of every format, whose metadata change below it while it works.
@Suite struct MirroredImagesTests {
    private static let size: UInt64 = 12 << 20
    private static let writers = 3

    /// Writers change, zero and flush their own part of the disk all the time; whichever side wins must hold exactly what
    /// they left, through the device and when its file is opened again.
    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2], [ImageFormat.raw, .vhd, .qcow2])
    func theWinnerHoldsEveryWrite(from: ImageFormat, to: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("mirror")
        for commit in [true, false] {
            let paths = [folder.file("source-\(commit)"), folder.file("destination-\(commit)")]
            let source = try DiskImage.create(path: paths[0], format: from, size: Self.size)
            let destination = try DiskImage.create(path: paths[1], format: to, size: Self.size)
            var expected = [UInt8](repeating: 0, count: Int(Self.size))
            for _ in 0..<20 {
                let data = random.bytes(Int.random(in: 1...200_000, using: &random))
                let offset = Int.random(in: 0..<Int(Self.size) - data.count, using: &random)
                try source.store(data, at: UInt64(offset))
                expected.replaceSubrange(offset..<offset + data.count, with: data)
            }
            let device = SwitchableDevice(source)
            let stop = CancelSwitch()
            let logs = (0..<Self.writers).map { _ in WriteLog() }
            let threads = (0..<Self.writers).map { index in
                let seed = random.next()
                return WorkerThread("writer-\(index)") {
                    write(to: device, part: index, seed, until: stop, logs[index])
                }
            }
            try device.startMirror(to: destination, bytesPerSecond: 0)
            // Under steady writing a moment's catching up may be over when it is asked for.
            var isPrepared = false
            while !isPrepared {
                do throws(BlockError) {
                    try device.preparePivot()
                    isPrepared = true
                } catch {
                    if error.code != .busy { throw error }
                }
            }
            for log in logs {
                let seen = log.all.count
                while log.all.count == seen {}
            }
            if commit { try device.commitPivot() } else { try device.cancelMirror() }
            stop.turnOn()
            for thread in threads { thread.join() }
            for log in logs {
                for (offset, data) in log.all {
                    expected.replaceSubrange(Int(offset)..<Int(offset) + data.count, with: data)
                }
            }
            #expect(try device.bytes(0, Int(Self.size)) == expected, "through the device, commit \(commit)")
            try device.flush()
            #expect(!device.hasVolatileMetadata)
            try device.close()
            let (path, format) = commit ? (paths[1], to) : (paths[0], from)
            let again = try DiskImage.open(path: path, format: format, readOnly: true)
            #expect(try again.bytes(0, Int(Self.size)) == expected, "in the file, commit \(commit)")
            try again.close()
            if format == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", path]) }
        }
    }

    private func write(
        to device: SwitchableDevice, part: Int, _ seed: UInt64, until stop: CancelSwitch, _ log: WriteLog
    ) {
        var random = SeededRandom(seed: seed)
        let length = Self.size / UInt64(Self.writers)
        var failures = 0
        while !stop.isOn {
            let count = Int.random(in: 1...150_000, using: &random)
            let offset = UInt64(part) * length + UInt64.random(in: 0..<length - UInt64(count), using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                if (try? device.flush()) == nil { failures += 1 }
            case 1, 2:
                if (try? device.writeZeroes(at: offset, length: UInt64(count), mayUnmap: true)) == nil { failures += 1 }
                log.append((offset, [UInt8](repeating: 0, count: count)))
            default:
                let data = random.bytes(count)
                if (try? device.store(data, at: offset)) == nil { failures += 1 }
                log.append((offset, data))
            }
        }
        #expect(failures == 0)
    }
}
