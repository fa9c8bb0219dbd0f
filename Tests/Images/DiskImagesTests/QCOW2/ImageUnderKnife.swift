import BlockIO
import CoreTypes
import Foundation
import Synchronization
import TestSupport

@testable import DiskImages

/// An image in memory whose structures a test damages on purpose. Refcounts are 16 bits wide.
struct ImageUnderKnife {
    let store: StoreInMemory
    let header: QCOW2Header

    init(_ bytes: [UInt8]) throws {
        store = StoreInMemory(bytes)
        header = try QCOW2Image.readHeader(store, fileSize: store.size())
    }

    var cluster: UInt64 { header.clusterSize }

    func word(_ offset: UInt64) throws -> UInt64 { try store.words(at: offset, count: 1)[0] }

    func set(_ offset: UInt64, _ word: UInt64) throws {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(word)
        try store.store(bytes, at: offset)
    }

    func l1Place(_ index: Int) -> UInt64 { header.l1Offset + UInt64(index) * 8 }

    /// Host offset of the L2 table of L1 entry `index`.
    func l2(_ index: Int) throws -> UInt64 { try word(l1Place(index)) & QCOW2Entry.offsetMask }

    /// File offset of the first L2 entry below L1 entry 0 for which `isWanted` holds.
    func entry(where isWanted: (UInt64) -> Bool) throws -> UInt64 {
        let table = try l2(0)
        for (index, word) in try store.words(at: table, count: Int(cluster / 8)).enumerated() where isWanted(word) {
            return table + UInt64(index) * 8
        }
        throw Tool.Failure(description: "the sample has no such entry")
    }

    /// File offset of the first entry of plain data with a refcount of 1.
    func data() throws -> UInt64 {
        try entry { $0 >> 62 == 2 && $0 & 1 == 0 }
    }

    func block(_ index: Int = 0) throws -> UInt64 { try word(header.refcountTableOffset + UInt64(index) * 8) }

    func setCount(_ host: UInt64, _ count: UInt16) throws {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(count)
        try store.store(bytes, at: block() + host / cluster * 2)
    }

    func check(_ repair: RepairChoice? = nil) throws -> CheckReport {
        try QCOW2Image.check(storage: store, repair: repair, policy: .standalone, cancellation: CancellationFlag())
    }

    /// The exit status of qemu-img check that a report corresponds to.
    static func status(_ report: CheckReport) -> Int32 {
        report.corruptions > 0 ? 2 : report.leaks > 0 ? 3 : 0
    }

    /// What qemu-img check says of the image, with what it printed.
    func qemu(_ folder: ScratchFolder, _ arguments: [String] = []) throws -> Tool.Outcome {
        try store.save(folder.file("knife.qcow2"))
        return try Tool.run("qemu-img", ["check", "-f", "qcow2"] + arguments + [folder.file("knife.qcow2")])
    }
}

/// Sample images made by qemu-img and qemu-io, with something of everything.
enum QemuSample: String, CaseIterable {
    case plain
    case rich
    case subclusters
    case dataFile
    case version2

    static let clusterSize = 4096
    /// Of each the one that was made first: a dozen runs of QEMU's programs make one, and many tests begin with it.
    private static let made = Mutex<[QemuSample: [UInt8]]>([:])

    /// The image, which lies in the folder, too.
    func make(_ folder: ScratchFolder) throws -> [UInt8] {
        let path = folder.file("\(rawValue).qcow2")
        if let known = Self.made.withLock({ $0[self] }) {
            try Data(known).write(to: URL(fileURLWithPath: path))
            return known
        }
        try make(at: path, folder)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        // This one names its data file.
        if self != .dataFile { Self.made.withLock { $0[self] = bytes } }
        return bytes
    }

    private func make(at path: String, _ folder: ScratchFolder) throws {
        var options = "cluster_size=\(self == .subclusters ? 16384 : Self.clusterSize)"
        switch self {
        case .plain, .rich: break
        case .subclusters: options += ",extended_l2=on"
        case .dataFile: options += ",data_file=\(folder.file("data.raw"))"
        case .version2: options += ",compat=0.10"
        }
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", options, path, "8M"])
        var commands = ["write -P 1 0 40k", "write -P 2 100k 200k", "write -P 3 3M 30k", "write -P 4 7M 1000"]
        if self != .version2 { commands += ["write -z 120k 16k", "write -z -u 140k 16k"] }
        try io(path, commands)
        if self == .rich || self == .version2 {
            try io(path, ["write -c -P 5 1M 64k", "write -c -P 6 2M 16k"])
            try Tool.check("qemu-img", ["snapshot", "-c", "first", path])
            try io(path, ["write -P 7 100k 20k", "write -P 8 1100k 3k", "discard 3M 8k"])
            try Tool.check("qemu-img", ["snapshot", "-c", "second", path])
            try io(path, ["write -P 9 6M 100k"])
        }
        if self == .rich {
            try Tool.check("qemu-img", ["bitmap", "--add", path, "marks"])
            try Tool.check("qemu-img", ["bitmap", "--add", "-g", "512", path, "more"])
            try io(path, ["write -P 10 1234k 50k"])
        }
    }

    private func io(_ path: String, _ commands: [String]) throws {
        try Tool.check("qemu-io", ["-f", "qcow2"] + commands.flatMap { ["-c", $0] } + [path])
    }
}
