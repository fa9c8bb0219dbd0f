import DatapathControl
import Foundation
import Glibc
import Testing

@testable import Toolstack

/// What a copy is told that reads at its own pace, or not at all.
@Suite struct UntoldSettingsTests {
    @Test func whatWasNotTakenIsToldAgainWithWhatWasSaidSince() throws {
        var (untold, lines, isFull) = (UntoldSettings(), [MirrorSettings](), true)
        func tell() {
            untold.tell { line in
                if isFull { return false }
                if let told = try? JSONDecoder().decode(MirrorSettings.self, from: line) { lines.append(told) }
                return line.last == UInt8(ascii: "\n")
            }
        }
        tell()
        untold.add(MirrorSettings(bytesPerSecond: 1, isPaused: true))
        tell()
        untold.add(MirrorSettings(bytesPerSecond: 2))
        tell()
        #expect(lines.isEmpty)
        isFull = false
        for _ in 1...2 { tell() }
        #expect(lines == [MirrorSettings(bytesPerSecond: 2, isPaused: true)])
        untold.add(MirrorSettings(isPaused: false))
        tell()
        #expect(lines.last == MirrorSettings(isPaused: false))
    }

    /// Whoever reads nothing for long hears at last what holds then, and keeps nobody waiting meanwhile.
    @Test func aPipeThatNobodyReadsIsNotWaitedFor() throws {
        let pipe = try CopyInto.words()
        defer { for end in [pipe.readEnd, pipe.writeEnd] { close(end) } }
        // Where nothing is to be heard the test fails, and does not hang.
        try #require(fcntl(pipe.readEnd, F_SETFL, O_NONBLOCK) == 0)
        var untold = UntoldSettings()
        for rate in 1...20_000 {
            untold.add(MirrorSettings(bytesPerSecond: UInt64(rate)))
            untold.tell { CopyInto.write($0, to: pipe.writeEnd) }
        }
        func heard() throws -> [MirrorSettings] {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            // SAFETY: reads into the array's own storage, at most its count.
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(pipe.readEnd, $0.baseAddress, $0.count) }
            return try bytes.prefix(max(0, count)).split(separator: UInt8(ascii: "\n")).map {
                try JSONDecoder().decode(MirrorSettings.self, from: Data($0))
            }
        }
        let first = try heard()
        #expect(first.count < 20_000 && first.first?.bytesPerSecond == 1)
        untold.tell { CopyInto.write($0, to: pipe.writeEnd) }
        #expect(try heard() == [MirrorSettings(bytesPerSecond: 20_000)])
    }
}
