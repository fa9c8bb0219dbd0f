import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// A kind of image that is put through crashes.
struct CrashShape: CustomTestStringConvertible, Sendable {
    enum Maker: Sendable {
        /// `DiskImage.create` with these options.
        case ours(String)
        /// `qemu-img create -o` with these options.
        case qemu(String)
        /// With these options, over old bytes of a block device that is so long.
        case onDevice(String, length: Int)
    }

    enum Parent: Sendable {
        case raw
        /// A VHD with a raw parent.
        case vhdOverRaw
    }

    /// What a quarter of the operations are.
    enum Favourite: Sendable { case compression, bitmaps, sizes, snapshots }

    var name: String
    var format: ImageFormat
    /// Virtual bytes.
    var size: Int
    var maker: Maker
    /// The image has a parent that is as large.
    var parent: Parent?
    /// qcow2 of version 2, which has no dirty bit: what a change of snapshots leaves is not put right by itself.
    var isVersion2 = false
    var favourite: Favourite?
    /// Operations in a session.
    var steps = 40
    /// Sectors in the longest request.
    var longest = 200
    var testDescription: String { name }

    /// The empty image, and what its disk holds. Its parents are made in `folder`, where they stay.
    func make(in folder: ScratchFolder) throws -> (files: CrashFiles, state: DiskHistory.State) {
        let numbers = try makeParents(in: folder)
        let state = DiskHistory.State(numbers: numbers)
        let path = folder.file("image")
        var paths = [path]
        switch maker {
        case .ours(let options):
            var parsed = try CreateOptions(parsing: options)
            if let parent { parsed.parent = .init(name: "parent", format: parent == .raw ? .raw : .vhd) }
            if let name = parsed.dataFile { paths.append(folder.file(name)) }
            for path in paths { try? FileManager.default.removeItem(atPath: path) }
            var policy = OpenPolicy()
            policy.parents = .given(ancestors(in: folder.path))
            try DiskImage.create(
                path: path, format: format, size: UInt64(size), options: parsed, policy: policy
            ).close()
            // A raw image of a length that is no multiple of 512.
            if format == .raw { unsafe truncate(path, size) }
        case .qemu(let options):
            try? FileManager.default.removeItem(atPath: path)
            let backing = parent != nil ? ["-b", "parent", "-F", "raw"] : []
            try Tool.check(
                "qemu-img",
                ["create", "-q", "-f", format == .vhd ? "vpc" : format.rawValue]
                    + (options.isEmpty ? [] : ["-o", options])
                    + backing + [path, String(size)])
        case .onDevice(let options, let length):
            let old = PagedBytes([UInt8](repeating: 0xDD, count: length))
            let store = RecordingStore(old, path: path, isBlockDevice: true)
            let parsed = try CreateOptions(parsing: options)
            if format == .vhd {
                try VHDImage.create(file: store, size: UInt64(size), options: parsed)
            } else {
                try QCOW2Image.create(storage: store, size: UInt64(size), options: parsed)
            }
            return (CrashFiles(contents: [store.bytes], paths: paths, isOnDevice: true), state)
        }
        let contents = try paths.map { PagedBytes([UInt8](try Data(contentsOf: URL(fileURLWithPath: $0)))) }
        return (CrashFiles(contents: contents, paths: paths), state)
    }

    /// Makes the parents, and returns what the disk shows of them.
    private func makeParents(in folder: ScratchFolder) throws -> [UInt64] {
        var numbers = [UInt64](repeating: 0, count: (size + 511) / 512)
        guard let parent else { return numbers }
        for sector in numbers.indices where sector / 16 % 7 != 0 { numbers[sector] = 1 << 40 + UInt64(sector / 16) }
        let words = numbers.flatMap { [UInt64](repeating: $0, count: 64) }
        let raw = folder.file(parent == .raw ? "parent" : "base")
        try unsafe words.withUnsafeBytes { try unsafe Data($0).write(to: URL(fileURLWithPath: raw)) }
        guard parent == .vhdOverRaw else { return numbers }
        let path = folder.file("parent")
        try? FileManager.default.removeItem(atPath: path)
        var options = CreateOptions()
        options.parent = .init(name: "base", format: .raw)
        let device = try DiskImage.create(path: path, format: .vhd, size: UInt64(size), options: options)
        for sector in stride(from: 5, to: numbers.count, by: 37) {
            numbers[sector] = 1 << 41 + UInt64(sector)
            let words = [UInt64](repeating: numbers[sector], count: 64)
            try unsafe words.withUnsafeBytes { try unsafe device.write($0, at: UInt64(sector) * 512) }
        }
        try device.close()
        return numbers
    }

    private func ancestors(in folder: String) -> [ImageReference] {
        switch parent {
        case nil: []
        case .raw: [ImageReference(path: folder + "/parent", format: .raw)]
        case .vhdOverRaw:
            [
                ImageReference(path: folder + "/parent", format: .vhd),
                ImageReference(path: folder + "/base", format: .raw),
            ]
        }
    }

    /// Opens the image in its stores; its parents are those that `make` left beside it.
    func open(_ stores: [RecordingStore]) throws -> any BlockDevice {
        let store = stores[0]
        var policy = OpenPolicy()
        let folder = String(store.path.prefix(upTo: store.path.lastIndex(of: "/") ?? store.path.startIndex))
        if parent != nil { policy.parents = .given(ancestors(in: folder)) }
        let chain = ChainContext(policy: policy)
        return switch format {
        case .raw: try RawImage.open(file: store)
        case .vhd: try VHDImage.open(file: store, readOnly: store.isReadOnly, chain: chain)
        case .qcow2:
            try QCOW2Image.open(
                storage: store, readOnly: store.isReadOnly, chain: chain, data: stores.count > 1 ? stores[1] : nil)
        }
    }

    /// What a check of the image finds; nil for raw, which has nothing to check.
    func check(_ store: RecordingStore) throws -> CheckReport? { try format.check(store) }
}

extension ImageFormat {
    /// What a check of an image finds; nil for raw, which has nothing to check.
    func check(_ store: RecordingStore) throws -> CheckReport? {
        switch self {
        case .raw: nil
        case .vhd: try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        case .qcow2:
            try QCOW2Image.check(storage: store, repair: nil, policy: .standalone, cancellation: CancellationFlag())
        }
    }
}
