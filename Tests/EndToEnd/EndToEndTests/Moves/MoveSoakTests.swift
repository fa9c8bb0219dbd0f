import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct MoveSoaks {
        /// Moves of a disk in use while gantryd, data path and QEMU are killed: a few here, more with `GANTRY_LONG=1`;
        /// `scripts/soak-moves.py` itself does hundreds.
        @Test func aDiskThatMovesWhileWholeToolstacksDieLosesNoBlock() throws {
            var random = SeededRandom.printed()
            let folder = try ScratchFolder("m")
            let isLong = ProcessInfo.processInfo.environment["GANTRY_LONG"] != nil
            let told = try Tool.check(
                "python3",
                [
                    SourceTree.url("scripts/soak-moves.py").path, "--gantryd", try Tool.find("gantryd"), "--moves",
                    isLong ? "40" : "3", "--mib", "8", "--seed", String(random.next() >> 32), "--dir", folder.path,
                    "--first", "QEMU and gantryd",
                ])
            print(told)
        }
    }
}
