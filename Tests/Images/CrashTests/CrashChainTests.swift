import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

/// Commits, coalescing and rebases that are cut off at any write: the image shows the same as before at any moment, and
/// doing it again finishes it.
@Suite(.serialized) struct CrashChainTests {
    static let vhds: [CrashChain] = [
        CrashChain(
            name: "commit of a VHD into a dynamic VHD", child: .init(format: .vhd, size: 3 << 20),
            parent: .init(format: .vhd, size: 3 << 20), work: .commit),
        CrashChain(
            name: "commit of a VHD into a smaller differencing VHD", child: .init(format: .vhd, size: 5 << 20),
            parent: .init(format: .vhd, size: 2 << 20), hasGrandparent: true, work: .commit),
        CrashChain(
            name: "commit of a VHD into a smaller fixed VHD", child: .init(format: .vhd, size: 3 << 20),
            parent: .init(format: .vhd, options: "subformat=fixed", size: 1 << 20), work: .commit),
        CrashChain(
            name: "rebase of a VHD", child: .init(format: .vhd, size: 3 << 20),
            parent: .init(format: .raw, size: 2 << 20), work: .rebase),
        CrashChain(
            name: "flattening of a VHD", child: .init(format: .vhd, size: 3 << 20),
            parent: .init(format: .raw, size: 3 << 20), work: .flatten),
    ]

    static let qcow2s: [CrashChain] = [
        CrashChain(
            name: "commit of qcow2 into smaller clusters, emptied",
            child: .init(format: .qcow2, options: "cluster_size=16k", size: 2 << 20),
            parent: .init(format: .qcow2, options: "cluster_size=4k", size: 2 << 20), work: .commitAndEmpty),
        CrashChain(
            name: "commit of qcow2 into a smaller image with larger clusters",
            child: .init(format: .qcow2, options: "cluster_size=4k", size: 2 << 20),
            parent: .init(format: .qcow2, size: (1 << 20) + 512), hasGrandparent: true, work: .commit),
        CrashChain(
            name: "commit of qcow2 into a dynamic VHD, emptied",
            child: .init(format: .qcow2, options: "cluster_size=8k", size: 3 << 20),
            parent: .init(format: .vhd, size: 2 << 20), work: .commitAndEmpty),
        CrashChain(
            name: "commit of qcow2 into a smaller raw image, emptied",
            child: .init(format: .qcow2, options: "cluster_size=8k,lazy_refcounts=on", size: 2 << 20),
            parent: .init(format: .raw, size: 1 << 20), work: .commitAndEmpty),
        CrashChain(
            name: "commit of qcow2 into lazy refcounts",
            child: .init(format: .qcow2, options: "cluster_size=32k,extended_l2=on", size: 2 << 20),
            parent: .init(format: .qcow2, options: "cluster_size=8k,lazy_refcounts=on", size: 2 << 20), work: .commit),
        CrashChain(
            name: "rebase of qcow2", child: .init(format: .qcow2, options: "cluster_size=8k", size: 2 << 20),
            parent: .init(format: .raw, size: 1 << 20), work: .rebase),
        CrashChain(
            name: "rebase of qcow2 with 512-byte clusters",
            child: .init(format: .qcow2, options: "cluster_size=512", size: 1 << 20),
            parent: .init(format: .raw, size: 1 << 20), work: .rebase),
        CrashChain(
            name: "flattening of qcow2", child: .init(format: .qcow2, options: "cluster_size=16k", size: 2 << 20),
            parent: .init(format: .raw, size: 2 << 20), work: .flatten),
    ]

    @Test(arguments: (vhds + qcow2s).filter { CrashTests.isChosen($0.name) })
    func everyCrashStateOfWorkOnAChainShowsTheSame(_ chain: CrashChain) throws {
        var random = SeededRandom.printed("crash states of the \(chain.name)")
        let folder = try ScratchFolder("crash-chain")
        var (states, prefixes, sessions) = (0, 0, 0)
        var files = CrashFiles(contents: [], paths: [])
        var expected: [UInt64] = []
        while states < CrashTests.wanted {
            // Every third session goes on where a crash left the one before.
            if sessions % 3 != 2 {
                files = try chain.make(in: folder, &random)
                expected = try chain.show(files.stores())
            }
            sessions += 1
            let stores = files.stores()
            try chain.run(stores)
            let log = CrashLog(stores)
            let share = min(CrashTests.wanted - states, max(60, CrashTests.wanted / 50))
            for index in 0..<share {
                let (cut, style) = log.moment(index, of: share, &random)
                files.contents = log.state(cut: cut, style: style, &random)
                states += 1
                if style == .everything { prefixes += 1 }
                do {
                    try judge(chain, files, expected)
                } catch {
                    Issue.record(
                        "\(chain.name), session \(sessions), seed \(random.seed), before event \(cut) of \(log.count), \(style): \(error)"
                    )
                    return
                }
            }
        }
        print("\(chain.name): \(states) crash states (\(prefixes) prefixes) of \(sessions) sessions")
    }

    /// The image shows what it did, and doing the work again finishes it.
    private func judge(_ chain: CrashChain, _ files: CrashFiles, _ expected: [UInt64]) throws {
        let stores = files.stores()
        try compare(chain.show(stores), expected, "after the crash")
        try chain.run(stores)
        try compare(chain.show(stores), expected, "after it was done again")
        try chain.checkDone(stores, expected)
    }

    private func compare(_ found: [UInt64], _ expected: [UInt64], _ when: String) throws {
        if found == expected { return }
        let sector = expected.indices.first { $0 >= found.count || found[$0] != expected[$0] } ?? expected.count
        throw CrashTrial.Verdict(
            description:
                "\(when) sector \(sector) of \(found.count) is \(sector < found.count ? found[sector] : 0), not \(sector < expected.count ? expected[sector] : 0)"
        )
    }

    @Test(arguments: vhds.filter { !$0.isRebase })
    func _2_22_aCoalesceThatIsKilledAtEachWriteIsFinishedByAnother(_ chain: CrashChain) throws {
        try killAtEachWrite(chain)
    }

    @Test(arguments: qcow2s.filter { !$0.isRebase })
    func _4_23_aCommitThatIsKilledAtEachWriteIsFinishedByAnother(_ chain: CrashChain) throws {
        try killAtEachWrite(chain)
    }

    /// The kernel keeps everything that a killed program wrote.
    private func killAtEachWrite(_ chain: CrashChain) throws {
        var random = SeededRandom.printed("killed at each write: \(chain.name)")
        let folder = try ScratchFolder("crash-chain")
        var files = try chain.make(in: folder, &random)
        let expected = try chain.show(files.stores())
        let stores = files.stores()
        try chain.run(stores)
        let log = CrashLog(stores)
        #expect(log.count > 10)
        for cut in 0...log.count {
            files.contents = log.state(cut: cut, style: .everything, &random)
            do {
                try judge(chain, files, expected)
            } catch {
                Issue.record("\(chain.name), before event \(cut) of \(log.count): \(error)")
                return
            }
        }
    }
}
