import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// 4.20: each single write of a session fails once, whatever it writes: refcount blocks, their table, L2, L1, data.
@Suite struct QCOW2FailureTests {
    @Test("any write may fail and work goes on (case 4.20)", arguments: [(9, 6), (12, 4), (16, 4)])
    func anyWriteMayFailAndWorkGoesOn(_ clusterBits: Int, _ order: Int) throws {
        let seed = SeededRandom.printed("\(#function) \(clusterBits)").seed
        let size = 1 << 20
        var failed = 0
        for failing in 0..<50 {
            var random = SeededRandom(seed: seed)
            let store = StoreInMemory()
            try QCOW2Image.create(
                storage: store, size: UInt64(size), clusterBits: clusterBits, refcountOrder: order)
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            let model = GrowingBytes()
            model.resize(size)
            store.writesLeft = failing * 2
            for step in 0..<24 {
                let start = Int.random(in: 0..<size, using: &random)
                let count = min(size - start, Int.random(in: 1...60_000, using: &random))
                let data = [UInt8](repeating: UInt8(step + 1), count: count)
                do {
                    switch step % 6 {
                    case 5: try image.flush()
                    case 4: try image.discard(at: UInt64(start), length: UInt64(count))
                    case 3: try image.writeZeroes(at: UInt64(start), length: UInt64(count), mayUnmap: true)
                    default: try image.store(data, start)
                    }
                } catch let error as BlockError {
                    #expect(error.code == .noSpace)
                    failed += 1
                    store.writesLeft = nil
                }
                model.write(try image.bytes(start, count), at: start)
            }
            store.writesLeft = nil
            try image.close()
            let report = try ImageUnderKnife(store.bytes).check()
            #expect(report.corruptions == 0, "write \(failing * 2): \(report.findings.prefix(3))")
            #expect(report.leaks <= 1, "write \(failing * 2): \(report.leaks)")
            let again = try QCOW2Image.open(storage: store, readOnly: true)
            let isEqual = try again.bytes(0, size) == model.array
            #expect(isEqual, "write \(failing * 2)")
        }
        #expect(failed > 5)
    }

    /// A resize that fails leaves the old size, and can be tried again.
    @Test func aResizeThatFailsCanBeTriedAgain() throws {
        for failing in 0..<30 {
            let store = StoreInMemory()
            try QCOW2Image.create(storage: store, size: 200 << 10, clusterBits: 9)
            var image = try QCOW2Image.open(storage: store, readOnly: false)
            let data = [UInt8](repeating: 7, count: 100 << 10)
            try image.store(data, 0)
            try image.flush()
            store.writesLeft = failing
            do {
                try image.resize(to: 3 << 20, preallocation: failing % 2 == 0 ? .off : .metadata)
            } catch {
                #expect(image.size == 200 << 10)
            }
            store.writesLeft = nil
            do {
                try image.resize(to: 3 << 20, preallocation: .off)
                try image.close()
            } catch {
                // The switch in the header failed: only opening it again tells which size it has.
                try? image.close()
                image = try QCOW2Image.open(storage: store, readOnly: false)
                try image.resize(to: 3 << 20, preallocation: .off)
                try image.close()
            }
            let report = try ImageUnderKnife(store.bytes).check()
            #expect(report.corruptions == 0, "write \(failing): \(report.findings.prefix(3))")
            let again = try QCOW2Image.open(storage: store, readOnly: true)
            #expect(again.size == 3 << 20)
            let isKept = try again.bytes(0, 100 << 10) == data
            #expect(isKept)
        }
    }
}
