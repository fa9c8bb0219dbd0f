import BlockIO
import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

@Suite struct QCOW2ConcurrencyTests {
    /// Workers share every cluster: each owns the sectors whose number leaves its own remainder, and always knows what
    /// they hold. A large disk of small clusters keeps the L2 cache full, so tables are evicted under way.
    @Test(
        "threads in the same clusters see their own writes (case 4.19)",
        arguments: [(9, 40 << 20), (12, 16 << 20), (16, 8 << 20)])
    func threadsInTheSameClustersSeeTheirOwnWrites(_ clusterBits: Int, _ size: Int) throws {
        let seed = SeededRandom.printed("\(#function) \(clusterBits)").seed
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: UInt64(size), clusterBits: clusterBits)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let workers = 6
        let failures = Mutex<[String]>([])
        let finals = Mutex<[Int: [Int: UInt8]]>([:])
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            var random = SeededRandom(seed: seed &+ UInt64(worker))
            var known: [Int: UInt8] = [:]
            do {
                for step in 0..<600 {
                    let group = Int.random(in: 0..<size / 512 / workers, using: &random)
                    let sector = group * workers + worker
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0..<5:
                        let value = UInt8.random(in: 1...255, using: &random)
                        try image.store([UInt8](repeating: value, count: 512), sector * 512)
                        known[sector] = value
                    case 5:
                        try image.writeZeroes(at: UInt64(sector) * 512, length: 512, mayUnmap: step % 2 == 0)
                        known[sector] = 0
                    case 6 where step % 8 == 0: try image.flush()
                    default:
                        guard let (sector, value) = known.randomElement(using: &random) else { continue }
                        let bytes = try image.bytes(sector * 512, 512)
                        if bytes != [UInt8](repeating: value, count: 512) {
                            failures.withLock { $0.append("worker \(worker), sector \(sector)") }
                        }
                    }
                }
            } catch {
                failures.withLock { $0.append("worker \(worker): \(error)") }
            }
            finals.withLock { $0[worker] = known }
        }
        #expect(failures.withLock { $0 } == [])
        try image.close()
        let folder = try ScratchFolder("qcow2-threads")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        for (sector, value) in finals.withLock({ $0 }).values.flatMap({ $0.map { ($0.key, $0.value) } }) {
            let isKept = try again.bytes(sector * 512, 512) == [UInt8](repeating: value, count: 512)
            #expect(isKept, "sector \(sector)")
        }
    }

    /// Readers and discards of whole clusters: a reader sees the old data or zeroes, never another cluster's data.
    @Test("readers never see a cluster that was given away (case 4.27)")
    func readersNeverSeeAClusterThatWasGivenAway() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 12)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 5) { worker in
            var random = SeededRandom(seed: UInt64(worker))
            do {
                for step in 0..<400 {
                    let cluster = Int.random(in: 0..<256, using: &random)
                    if worker < 2 {
                        if step % 3 == 0 {
                            try image.discard(at: UInt64(cluster) << 12, length: 4096)
                        } else {
                            try image.store([UInt8](repeating: UInt8(cluster), count: 4096), cluster << 12)
                        }
                        if step % 20 == 0 { try image.flush() }
                    } else {
                        let bytes = try image.bytes(cluster << 12, 4096)
                        if let odd = bytes.first(where: { $0 != 0 && $0 != UInt8(cluster) }) {
                            failures.withLock { $0.append("cluster \(cluster) shows \(odd)") }
                        }
                    }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        try image.close()
        let folder = try ScratchFolder("qcow2-discards")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }
}
