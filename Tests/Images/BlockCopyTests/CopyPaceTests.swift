import BlockIO
import CoreTypes
import Glibc
import TestSupport
import Testing

@testable import BlockCopy

/// Copies that are held back.
@Suite struct CopyPaceTests {
    private static let size: UInt64 = 1 << 20
    private let clock = ContinuousClock()

    private func disks() throws -> (source: MemoryDevice, base: MemoryDevice, destination: MemoryDevice) {
        let source = MemoryDevice(size: Self.size)
        try source.store([UInt8](repeating: 7, count: Int(Self.size)), at: 0)
        return (source, MemoryDevice(size: Self.size), MemoryDevice(size: Self.size))
    }

    /// Of a mebibyte, all but the first piece waits for its turn.
    @Test(arguments: [false, true])
    func aRateHoldsForWhatIsCopied(hasBase: Bool) throws {
        let disks = try disks()
        let pace = CopyPace()
        pace.set(bytesPerSecond: 8 << 20)
        let time = try clock.measure {
            try DifferenceCopy.copy(
                from: disks.source, base: hasBase ? disks.base : nil, to: disks.destination, pace: pace)
        }
        #expect(time >= .milliseconds(90))
        #expect(try disks.destination.bytes(0, Int(Self.size)) == disks.source.bytes(0, Int(Self.size)))
    }

    /// What is the same costs no turn.
    @Test func aRateDoesNotHoldForWhatIsCompared() throws {
        let disks = try disks()
        try disks.destination.store(try disks.source.bytes(0, Int(Self.size)), at: 0)
        let pace = CopyPace()
        pace.set(bytesPerSecond: 1)
        try DifferenceCopy.copy(from: disks.source, base: disks.source, to: disks.destination, pace: pace)
    }

    /// A pause stops it, and a word ends the pause, or the wait that an earlier rate asks for.
    @Test(arguments: [false, true])
    func aCopyGoesOnWhenItIsTold(hasBase: Bool) throws {
        let disks = try disks()
        let (pace, progress) = (CopyPace(), ProgressCounter())
        pace.set(bytesPerSecond: 1, isPaused: true)
        let copier = WorkerThread("copy") {
            do {
                try DifferenceCopy.copy(
                    from: disks.source, base: hasBase ? disks.base : nil, to: disks.destination, pace: pace,
                    progress: progress)
            } catch {
                Issue.record(error)
            }
        }
        while progress.total == 0 { usleep(2000) }
        for _ in 0..<10 { usleep(2000) }
        #expect(progress.done == 0)
        pace.set(isPaused: false)
        while progress.done == 0 { usleep(2000) }
        #expect(progress.done < Self.size)
        pace.set(bytesPerSecond: 0)
        copier.join()
        #expect(try disks.destination.bytes(0, Int(Self.size)) == disks.source.bytes(0, Int(Self.size)))
    }
}
