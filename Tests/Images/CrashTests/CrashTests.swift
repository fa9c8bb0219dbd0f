import CoreTypes
import Foundation
import TestSupport
import Testing

/// Crashes at every recorded moment of random sessions. `GANTRY_CRASH_STATES` is the number of crash states for each
/// kind of image (scripts/crash-run.sh has 10,000); `GANTRY_TEST_SEED` replays a run.
@Suite(.serialized) struct CrashTests {
    static let shapes = [
        CrashShape(name: "raw", format: .raw, size: 1 << 20, maker: .ours("")),
        CrashShape(name: "raw with half a last sector", format: .raw, size: (1 << 20) - 212, maker: .ours("")),
        CrashShape(name: "VHD fixed", format: .vhd, size: 1 << 20, maker: .ours("subformat=fixed"), hasOneFooter: true),
        CrashShape(name: "VHD dynamic", format: .vhd, size: 7 << 20, maker: .ours("subformat=dynamic"), steps: 30),
        CrashShape(name: "VHD dynamic by QEMU", format: .vhd, size: 6 << 20, maker: .qemu("force_size=on"), steps: 30),
        CrashShape(
            name: "VHD differencing", format: .vhd, size: 5 << 20, maker: .ours(""), hasParent: true, steps: 30),
        CrashShape(name: "qcow2", format: .qcow2, size: 3 << 20, maker: .ours("")),
        CrashShape(name: "qcow2 by QEMU", format: .qcow2, size: 3 << 20, maker: .qemu("")),
        CrashShape(
            name: "qcow2 version 2", format: .qcow2, size: 2 << 20, maker: .qemu("compat=0.10,cluster_size=4k"),
            isVersion2: true),
        CrashShape(
            name: "qcow2, 512-byte clusters, 64-bit refcounts", format: .qcow2, size: 2 << 20,
            maker: .qemu("cluster_size=512,refcount_bits=64"), longest: 120),
        CrashShape(
            name: "qcow2, 4 KiB clusters, 1-bit refcounts", format: .qcow2, size: 2 << 20,
            maker: .qemu("cluster_size=4k,refcount_bits=1")),
        CrashShape(
            name: "qcow2, 2 MiB clusters, 8-bit refcounts", format: .qcow2, size: 7 << 20,
            maker: .qemu("cluster_size=2M,refcount_bits=8"), steps: 30),
        CrashShape(
            name: "qcow2 with a backing file", format: .qcow2, size: 2 << 20, maker: .ours("cluster_size=16k"),
            hasParent: true),
        CrashShape(
            name: "qcow2, lazy refcounts", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=8k,lazy_refcounts=on")),
        CrashShape(
            name: "qcow2, extended L2 entries", format: .qcow2, size: 3 << 20,
            maker: .ours("cluster_size=32k,extended_l2=on")),
        CrashShape(
            name: "qcow2, extended L2 entries with a backing file by QEMU", format: .qcow2, size: 2 << 20,
            maker: .qemu("cluster_size=16k,extended_l2=on"), hasParent: true),
    ]

    /// Crash states for each kind of image.
    static let wanted = ProcessInfo.processInfo.environment["GANTRY_CRASH_STATES"].flatMap(Int.init) ?? 100

    /// The kinds whose names have GANTRY_CRASH_KINDS in them; all without it.
    static let chosen = shapes.filter {
        let part = ProcessInfo.processInfo.environment["GANTRY_CRASH_KINDS"] ?? ""
        return part.isEmpty || $0.name.contains(part)
    }

    @Test(arguments: chosen)
    func everyCrashStateOpensAndHoldsWhatWasFlushed(_ shape: CrashShape) throws {
        var random = SeededRandom.printed("crash states of \(shape.name)")
        let folder = try ScratchFolder("crash")
        let (fresh, path, _) = try shape.make(in: folder)
        var content = fresh
        var number: UInt64 = 0
        var (states, prefixes, sessions, asked) = (0, 0, 0, 0)
        while states < Self.wanted {
            // Every fourth session begins with an empty image, the others where a crash left the one before.
            if sessions % 4 == 0 { content = fresh }
            sessions += 1
            var session: CrashSession
            do {
                session = try CrashSession(shape, content, path: path)
                try session.run(shape.steps, number: &number, &random)
                if Bool.random(using: &random) { try session.close() }
            } catch {
                Issue.record("\(shape.name), session \(sessions): \(error)")
                return
            }
            let log = session.store.log
            session.abandon()
            let trial = CrashTrial(shape: shape, history: session.history, folder: folder, path: path)
            let share = min(Self.wanted - states, max(100, Self.wanted / 25))
            for index in 0..<share {
                let (cut, style) = Self.moment(log, index, share, &random)
                content = CrashStates.state(
                    log, cut: cut, style: style, growsFirst: !shape.hasOneFooter, &random)
                states += 1
                if style == .everything { prefixes += 1 }
                let asksQEMU = states % 50 == 0
                if asksQEMU { asked += 1 }
                do {
                    try trial.judge(
                        content, cut: cut, asksQEMU: asksQEMU, worksOn: asksQEMU || states % 5 == 0, &random)
                } catch {
                    Issue.record(
                        "\(shape.name), session \(sessions), before event \(cut) of \(log.events.count), \(style): \(error)"
                    )
                    return
                }
            }
        }
        print("\(shape.name): \(states) crash states (\(prefixes) prefixes) of \(sessions) sessions; QEMU saw \(asked)")
    }

    /// A third of the states are prefixes, all of them where that many suffice; the others are taken mostly just before
    /// a barrier, where most is at stake.
    private static func moment(
        _ log: RecordingStore.Log, _ index: Int, _ share: Int, _ random: inout SeededRandom
    ) -> (cut: Int, style: CrashStates.Style) {
        let count = log.events.count
        if index % 3 == 0 {
            let prefixes = (share + 2) / 3
            return (prefixes > count ? index / 3 % (count + 1) : Int.random(in: 0...count, using: &random), .everything)
        }
        var cut = Int.random(in: 0...count, using: &random)
        if index % 3 == 1 {
            cut = log.barriers.randomElement(using: &random)?.event ?? cut
        } else if Int.random(in: 0..<3, using: &random) == 0 {
            // Changes of the beginning of the file are rare and the most delicate.
            let delicate = log.events.indices.filter {
                if case .write(let offset, _) = log.events[$0] { offset < 512 } else { false }
            }
            if let event = delicate.randomElement(using: &random) {
                cut = log.barriers.first { $0.event > event }?.event ?? event + 1
            }
        }
        return (cut, CrashStates.Style.allCases.randomElement(using: &random) ?? .nothing)
    }
}
