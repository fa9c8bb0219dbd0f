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
    }

    var name: String
    var format: ImageFormat
    /// Virtual bytes.
    var size: Int
    var maker: Maker
    /// The image has a raw parent that is as large.
    var hasParent = false
    /// A fixed VHD has one footer, in its last bytes: a longer file without it is none.
    var hasOneFooter = false
    /// qcow2 of version 2, which has no dirty bit: what a change of snapshots leaves is not put right by itself.
    var isVersion2 = false
    /// Operations in a session.
    var steps = 40
    /// Sectors in the longest request.
    var longest = 200
    var testDescription: String { name }

    /// The empty image, and what its disk holds. Its parent is made in `folder`, where it stays.
    func make(in folder: ScratchFolder) throws -> (image: PagedBytes, path: String, state: DiskHistory.State) {
        var numbers = [UInt64](repeating: 0, count: (size + 511) / 512)
        let parent = folder.file("parent")
        if hasParent {
            for sector in numbers.indices where sector / 16 % 7 != 0 { numbers[sector] = 1 << 40 + UInt64(sector / 16) }
            let words = numbers.flatMap { [UInt64](repeating: $0, count: 64) }
            try unsafe words.withUnsafeBytes { try unsafe Data($0).write(to: URL(fileURLWithPath: parent)) }
        }
        let path = folder.file("image")
        try? FileManager.default.removeItem(atPath: path)
        switch maker {
        case .ours(let options):
            var parsed = try CreateOptions(parsing: options)
            if hasParent { parsed.parent = .init(name: "parent", format: .raw) }
            try DiskImage.create(path: path, format: format, size: UInt64(size), options: parsed).close()
            // A raw image of a length that is no multiple of 512.
            if format == .raw { unsafe truncate(path, size) }
        case .qemu(let options):
            let backing = hasParent ? ["-b", "parent", "-F", "raw"] : []
            try Tool.check(
                "qemu-img",
                ["create", "-q", "-f", format == .vhd ? "vpc" : format.rawValue]
                    + (options.isEmpty ? [] : ["-o", options])
                    + backing + [path, String(size)])
        }
        let content = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        return (PagedBytes(content), path, DiskHistory.State(numbers: numbers))
    }

    /// Opens the image in a store; its parent is the one that `make` left beside it.
    func open(_ store: RecordingStore) throws -> any BlockDevice {
        var policy = OpenPolicy()
        if hasParent {
            let folder = String(store.path.prefix(upTo: store.path.lastIndex(of: "/") ?? store.path.startIndex))
            policy.parents = .given([ImageReference(path: folder + "/parent", format: .raw)])
        }
        let chain = ChainContext(policy: policy)
        return switch format {
        case .raw: try RawImage.open(file: store)
        case .vhd: try VHDImage.open(file: store, readOnly: store.isReadOnly, chain: chain)
        case .qcow2: try QCOW2Image.open(storage: store, readOnly: store.isReadOnly, chain: chain)
        }
    }

    /// What a check of the image finds; nil for raw, which has nothing to check.
    func check(_ store: RecordingStore) throws -> CheckReport? {
        switch format {
        case .raw: nil
        case .vhd: try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        case .qcow2:
            try QCOW2Image.check(storage: store, repair: nil, policy: .standalone, cancellation: CancellationFlag())
        }
    }
}
