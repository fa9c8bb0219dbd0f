import APITypes
import CoreTypes
import DatapathControl
import PoolDatabase
import StorageInterface
import StorageMotion
import Synchronization

/// The progress of the copy of one snapshot among all that moves: what it counts is its own, what is said of it is said of
/// its disk.
final class SnapshotProgress: TaskProgress {
    private struct Meter: Sendable {
        var time = ContinuousClock.now
        var bytes: UInt64 = 0
        var bytesPerSecond: UInt64 = 0
    }

    private let part: any TaskProgress
    private let disk: any TaskProgress
    private let bytes: UInt64
    private let meter = Mutex(Meter())

    /// `part`: its own share; `bytes`: what there is to copy, as far as that can be said.
    init(_ part: any TaskProgress, of disk: any TaskProgress, bytes: UInt64) {
        (self.part, self.disk, self.bytes) = (part, disk, bytes)
    }

    var cancellation: CancellationFlag { disk.cancellation }
    var entries: [String: String] { disk.entries }
    func annotate(_ entries: [String: String]) { disk.annotate(entries) }

    func report(_ fraction: Double) { report(CopiedShare(copied: fraction)) }

    func report(_ fraction: Double, at now: ContinuousClock.Instant) { report(CopiedShare(copied: fraction), at: now) }

    /// What is copied counts as bytes, and what is compared then as well as a part of the work.
    func report(_ share: CopiedShare, at now: ContinuousClock.Instant = .now) {
        // The process that copies says so, which has read what strangers made.
        guard share.copied.isFinite, share.fraction.isFinite else { return }
        let copied = UInt64(Double(bytes) * min(1, max(0, share.copied)))
        let rate = meter.withLock { meter -> UInt64 in
            let elapsed = (now - meter.time) / Duration.seconds(1)
            if elapsed >= 0.5 {
                meter.bytesPerSecond = UInt64(min(Double(copied - min(copied, meter.bytes)) / elapsed, 1e18))
                (meter.time, meter.bytes) = (now, copied)
            }
            return meter.bytesPerSecond
        }
        tell(copied, rate)
        part.report(min(1, max(0, share.fraction)))
    }

    /// All of it is there.
    func finish() {
        tell(bytes, 0)
        part.report(1)
    }

    private func tell(_ copied: UInt64, _ rate: UInt64) {
        part.annotate([
            "bytes_total": String(bytes), "bytes_copied": String(copied), "bytes_per_second": String(rate),
        ])
    }
}

/// One task's progress, shared by disks that move side by side and by their snapshots.
struct DiskShares: Sendable {
    /// Of one disk.
    struct Share: Sendable {
        let disk: any TaskProgress
        /// In the order in which they are made.
        let snapshots: [SnapshotProgress]
    }

    let shared: SharedProgress
    private let bytes: [[UInt64]]

    /// `bytes`: of each disk what is to be copied of its snapshots, in their order, and of itself, which comes last.
    init(_ bytes: [[UInt64]], of whole: any TaskProgress) {
        self.bytes = bytes
        // Of disks alone their mirrors say it, better.
        shared = SharedProgress(bytes.flatMap { $0 }, of: whole, isExpected: bytes.contains { $0.count > 1 })
    }

    init(_ motions: [DiskMotion], of whole: any TaskProgress, _ context: StorageContext) async {
        var bytes = motions.map { [$0.size] }
        if motions.contains(where: { !$0.snapshots.isEmpty }) {
            for (index, motion) in motions.enumerated() {
                bytes[index] = []
                var known: Set<String> = []
                for snapshot in motion.snapshots {
                    let vdi = Ref<VDI>(snapshot.sourceRef)
                    bytes[index].append(await context.bytesToCopy(of: vdi, isClone: snapshot.base != nil, &known))
                }
                bytes[index].append(await context.bytesToCopy(of: Ref(motion.sourceRef), isClone: false, &known))
            }
        }
        self.init(bytes, of: whole)
    }

    func disk(_ index: Int) -> any TaskProgress {
        shared.part(bytes[...index].reduce(-1) { $0 + $1.count })
    }

    func share(_ index: Int) -> Share {
        let (first, disk) = (bytes[..<index].reduce(0) { $0 + $1.count }, disk(index))
        let snapshots = bytes[index].dropLast().enumerated().map { place, size in
            SnapshotProgress(shared.part(first + place), of: disk, bytes: size)
        }
        return Share(disk: disk, snapshots: snapshots)
    }
}

extension StorageContext {
    /// What all images that a disk stands on take; of a clone those that are not `known` yet, by their locations. Where that cannot be
    /// said, its size.
    func bytesToCopy(of vdi: Ref<VDI>, isClone: Bool, _ known: inout Set<String>) async -> UInt64 {
        guard let row = database.read({ $0.row(vdi) }) else { return 0 }
        let size = UInt64(clamping: row[VDI.virtualSize])
        guard let attached = try? attached(row[VDI.sr]),
            let chain = try? await attached.manager.chain(attached.repository, StorageContext.volume(row))
        else { return size }
        let images = isClone ? chain.filter { !known.contains($0.location) } : chain
        known.formUnion(chain.map(\.location))
        return min(size, images.reduce(0) { $0 &+ min($1.physicalSize, $1.virtualSize) })
    }
}
