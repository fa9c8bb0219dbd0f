// What scripts/sanitize.sh asks of the thread sanitizer before it believes it: `locked` has threads that wait for one
// Mutex and must give no report, `race` has threads that change the same numbers without and must give one.
import Glibc
import Synchronization

final class Shared: Sendable {
    let isRace: Bool
    let guarded = Mutex([0, 0, 0, 0])
    nonisolated(unsafe) var unguarded = [0, 0, 0, 0]

    init(isRace: Bool) { self.isRace = isRace }

    func work() {
        for _ in 0..<2000 {
            if isRace { Self.increment(&unguarded) } else { guarded.withLock { Self.increment(&$0) } }
        }
    }

    static func increment(_ counts: inout [Int]) {
        for index in counts.indices { counts[index] += 1 }
        // Long enough that the others spin in vain and the kernel hands the mutex over.
        if counts[0] % 64 == 0 { usleep(200) }
    }
}

func run(_ shared: Shared) {
    let threads = (0..<4).map { _ in
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Shared>.fromOpaque(raw).takeUnretainedValue().work() }
                return nil
            }, Unmanaged.passUnretained(shared).toOpaque())
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

let shared = Shared(isRace: CommandLine.arguments.last == "race")
run(shared)
exit(shared.isRace || shared.guarded.withLock { $0 } == [8000, 8000, 8000, 8000] ? 0 : 1)
