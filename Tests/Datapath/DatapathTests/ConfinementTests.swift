import Datapath
import Foundation
import Testing

/// What a process gives up before it opens images.
@Suite struct ConfinementTests {
    @Test func aConfinedProcessKeepsItsUserAndItsThreads() async {
        await #expect(processExitsWith: .success) {
            DatapathConfinement.apply()
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            // A sanitizer's build and an old kernel have no filter.
            if status.contains("Seccomp:\t2") {
                // Each would change nothing, and anybody may do so.
                #expect(setreuid(getuid(), geteuid()) == -1 && errno == EPERM)
                #expect(setregid(getgid(), getegid()) == -1 && errno == EPERM)
                // Of the numbers that no rule names the C library's later ones are not there: it uses the earlier.
                #expect(startsThread())
            }
        }
    }
}

/// Whether a thread can be made and ends.
private func startsThread() -> Bool {
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread { ended.signal() }
    ended.wait()
    return true
}
