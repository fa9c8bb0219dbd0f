import BlockIO
import CLinux
import Glibc
import Testing

/// How threads that copy share the processors with a guest's writes.
@Suite struct ShortTurnsTests {
    /// It may be asked for again, says the same each time, and takes nothing else from the thread.
    @Test func aThreadTakesShortTurnsWhereTheKernelKnowsThem() {
        let thread = WorkerThread("turns") {
            let before = Glibc.nice(0)
            let first = gantry_take_short_turns(100_000)
            #expect(gantry_take_short_turns(200_000) == first)
            #expect(sched_getscheduler(0) == SCHED_OTHER && Glibc.nice(0) == before)
            var release = utsname()
            #expect(unsafe uname(&release) == 0)
            // SAFETY: the local variable's own bytes.
            let text = unsafe withUnsafeBytes(of: &release.release) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let numbers = text.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
            if numbers.count == 2, (numbers[0], numbers[1]) >= (6, 12) { #expect(first) }
        }
        thread.join()
    }
}
