import BlockIO
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

@Suite struct QCOW2SnapshotConcurrencyTests {
    /// Each worker writes its own numbers one after the other. A snapshot made meanwhile holds, of every worker, all it
    /// wrote up to one moment and nothing later (4.19).
    @Test("a snapshot is one moment of what threads write (case 4.19)", arguments: [(9, 2 << 20), (16, 4 << 20)])
    func aSnapshotIsOneMomentOfWhatThreadsWrite(_ clusterBits: Int, _ size: Int) throws {
        let seed = SeededRandom.printed("\(#function) \(clusterBits)").seed
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: UInt64(size), clusterBits: clusterBits)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let workers = 3
        let steps = 900
        let failures = Mutex<[String]>([])
        @Sendable func sector(_ worker: Int, _ random: inout SeededRandom) -> Int {
            Int.random(in: 0..<size / 512 / workers, using: &random) * workers + worker
        }
        DispatchQueue.concurrentPerform(iterations: workers + 1) { worker in
            var random = SeededRandom(seed: seed &+ UInt64(worker))
            do {
                if worker == workers {
                    for number in 0..<6 {
                        try image.createSnapshot(name: "s\(number)")
                        if number % 3 == 2 { try image.deleteSnapshot("s\(number - 1)") }
                        for _ in 0..<20 { _ = try image.bytes(0, 4096) }
                    }
                    return
                }
                for step in 1...steps {
                    let words = [UInt64](repeating: UInt64(step), count: 64)
                    let at = sector(worker, &random)
                    try unsafe words.withUnsafeBytes { try unsafe image.write($0, at: UInt64(at) * 512) }
                    if step % 100 == 0 { try image.flush() }
                }
            } catch { failures.withLock { $0.append("worker \(worker): \(error)") } }
        }
        #expect(failures.withLock { $0 } == [])
        for info in try image.snapshots() {
            let view = try image.openSnapshot(info.name)
            let bytes = try view.bytes(0, size)
            let numbers = unsafe bytes.withUnsafeBytes { all in
                (0..<size / 512).map { unsafe all.load(fromByteOffset: $0 * 512, as: UInt64.self) }
            }
            for worker in 0..<workers {
                let last = stride(from: worker, to: numbers.count, by: workers).map { numbers[$0] }.max() ?? 0
                var expected: [Int: UInt64] = [:]
                var random = SeededRandom(seed: seed &+ UInt64(worker))
                for step in 0..<Int(last) { expected[sector(worker, &random)] = UInt64(step + 1) }
                let isOneMoment = stride(from: worker, to: numbers.count, by: workers).allSatisfy {
                    numbers[$0] == expected[$0, default: 0]
                }
                #expect(isOneMoment, "worker \(worker) in \(info.name), up to \(last)")
            }
            try view.close()
        }
        try image.close()
        let folder = try ScratchFolder("qcow2-snapshot-threads")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }
}
