import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Work on an image and its parent that is cut off: a commit (also of an image that is coalesced away), or a rebase.
struct CrashChain: CustomTestStringConvertible, Sendable {
    struct Image: Sendable {
        var format: ImageFormat
        /// As for `CreateOptions`.
        var options = ""
        /// Virtual bytes.
        var size: Int
    }

    enum Work: Sendable {
        case commit
        /// The image is emptied afterwards.
        case commitAndEmpty
        /// Between two raw parents of other content and other sizes.
        case rebase
        /// On no parent.
        case flatten
    }

    var name: String
    var child: Image
    var parent: Image
    /// The parent has a raw parent itself.
    var hasGrandparent = false
    var work: Work
    var testDescription: String { name }
    var isRebase: Bool { work == .rebase || work == .flatten }

    /// Images with random content, in files: the image and, when it is written, its parent. Other parents stay in
    /// `folder`.
    func make(in folder: ScratchFolder, _ random: inout SeededRandom) throws -> CrashFiles {
        for name in try folder.contents() { try FileManager.default.removeItem(atPath: folder.file(name)) }
        if hasGrandparent { try storeRaw(folder.file("base"), sectors: parent.size / 512, first: 1 << 40) }
        if isRebase {
            try storeRaw(folder.file("parent"), sectors: parent.size / 512, first: 1 << 40)
            try storeRaw(folder.file("other"), sectors: child.size / 512 * 2 / 3, first: 1 << 41)
        } else {
            try create(parent, folder.file("parent"), parent: hasGrandparent ? ("base", .raw) : nil, folder)
        }
        try create(child, folder.file("child"), parent: ("parent", isRebase ? .raw : parent.format), folder)
        let paths = [folder.file("child")] + (isRebase ? [] : [folder.file("parent")])
        var files = CrashFiles(contents: [], paths: paths)
        files.contents = try paths.map { PagedBytes([UInt8](try Data(contentsOf: URL(fileURLWithPath: $0)))) }
        let stores = files.stores()
        if !isRebase { try fill(openParent(stores[1]), unit: 512, number: 1 << 42, &random) }
        let device = try openChild(stores[0])
        try fill(device, unit: child.format == .qcow2 ? Int(device.preferredAlignment) : 512, number: 1 << 43, &random)
        return files.now(stores)
    }

    private func create(
        _ image: Image, _ path: String, parent: (name: String, format: ImageFormat)?, _ folder: ScratchFolder
    ) throws {
        var options = try CreateOptions(parsing: image.options)
        options.parent = parent.map { .init(name: $0.name, format: $0.format) }
        var policy = OpenPolicy()
        policy.parents = .given(
            [ImageReference(path: folder.file("parent"), format: parent?.format ?? .raw)]
                + (hasGrandparent ? [ImageReference(path: folder.file("base"), format: .raw)] : []))
        if parent?.name == "base" {
            policy.parents = .given([ImageReference(path: folder.file("base"), format: .raw)])
        }
        try DiskImage.create(
            path: path, format: image.format, size: UInt64(image.size), options: options, policy: policy
        ).close()
    }

    private func storeRaw(_ path: String, sectors: Int, first: UInt64) throws {
        let numbers = (0..<sectors).map { (sector: Int) -> UInt64 in
            sector / 16 % 5 == 0 ? 0 : first + UInt64(sector)
        }
        let words = numbers.flatMap { [UInt64](repeating: $0, count: 64) }
        try unsafe words.withUnsafeBytes { try unsafe Data($0).write(to: URL(fileURLWithPath: path)) }
    }

    /// Requests of whole units: what an image shows of its parent does not get into it.
    private func fill(_ device: any BlockDevice, unit: Int, number: UInt64, _ random: inout SeededRandom) throws {
        let units = Int(device.size) / unit
        for step in 0..<24 {
            let first = Int.random(in: 0..<units, using: &random)
            let count = min(units - first, Int.random(in: 1...max(1, (96 << 10) / unit), using: &random))
            if step % 4 == 3 {
                try device.writeZeroes(at: UInt64(first * unit), length: UInt64(count * unit), mayUnmap: true)
            } else {
                let words = [UInt64](repeating: number + UInt64(step), count: count * unit / 8)
                try unsafe words.withUnsafeBytes { try unsafe device.write($0, at: UInt64(first * unit)) }
            }
        }
        try device.close()
    }

    // MARK: Opening

    private func open(_ store: RecordingStore, _ format: ImageFormat, _ parents: OpenPolicy.Parents) throws
        -> any BlockDevice
    {
        let chain = ChainContext(policy: OpenPolicy(parents: parents))
        return switch format {
        case .raw: try RawImage.open(file: store)
        case .vhd: try VHDImage.open(file: store, readOnly: store.isReadOnly, chain: chain)
        case .qcow2: try QCOW2Image.open(storage: store, readOnly: store.isReadOnly, chain: chain)
        }
    }

    /// The image alone.
    private func openChild(_ store: RecordingStore) throws -> any BlockDevice {
        try open(store, child.format, .ignored)
    }

    private func openParent(_ store: RecordingStore) throws -> any BlockDevice {
        let base = ImageReference(path: folder(store) + "/base", format: .raw)
        return try open(store, parent.format, hasGrandparent ? .given([base]) : .refused)
    }

    private func folder(_ store: RecordingStore) -> String {
        String(store.path.prefix(upTo: store.path.lastIndex(of: "/") ?? store.path.startIndex))
    }

    // MARK: The work

    /// Does the work as `DiskImage.commit` and `DiskImage.rebase` do it, from wherever it was cut off.
    func run(_ stores: [RecordingStore]) throws {
        let copier = ChainCopier(progress: ProgressCounter(), cancellation: CancellationFlag())
        if isRebase { return try runRebase(stores[0], copier) }
        let device = try openChild(stores[0])
        let below = try openParent(stores[1])
        try DiskImage.commit(device, into: below, copier)
        try below.close()
        if work == .commitAndEmpty { try (device as? QCOW2Image)?.removeContent() }
        try device.close()
    }

    private func runRebase(_ store: RecordingStore, _ copier: ChainCopier) throws {
        let other = ImageReference(path: folder(store) + "/other", format: .raw)
        let now = ImageReference(path: folder(store) + "/" + (try parentName(store) ?? "parent"), format: .raw)
        if try parentName(store) == nil { return }
        let device = try open(store, child.format, .given([now]))
        let new: (any BlockDevice)? =
            work == .flatten
            ? nil : try DiskImage.open(path: other.path, format: .raw, readOnly: true)
        defer { try? new?.close() }
        try DiskImage.keepContent(of: device, child.format, over: new, copier)
        try device.close()
        try DiskImage.replaceParent(
            of: store, child.format, work == .flatten ? nil : .image(other), name: work == .flatten ? nil : "other")
    }

    private func parentName(_ store: RecordingStore) throws -> String? {
        let name: String?
        if child.format == .vhd {
            name = try VHDImage.info(file: store).parentName
        } else {
            name = try QCOW2Image.readHeader(store, fileSize: store.size()).backingName
        }
        return name.flatMap { $0.split(separator: "/").last.map(String.init) }
    }

    // MARK: What it shows

    /// What the image shows, from its own clusters and its parent's content. Brings both in order, as opening for
    /// writing does, and checks them.
    func show(_ stores: [RecordingStore]) throws -> [UInt64] {
        var below: [UInt64] = []
        if isRebase {
            if let name = try parentName(stores[0]) {
                let file = try DiskImage.open(path: folder(stores[0]) + "/" + name, format: .raw, readOnly: true)
                below = try CrashSession.numbers(file, 0, Int(file.size) / 512)
                try file.close()
            }
        } else {
            let device = try openParent(stores[1])
            below = try CrashSession.numbers(device, 0, Int(device.size) / 512)
            try device.close()
            try checkSound(stores[1], parent.format)
        }
        let device = try openChild(stores[0])
        let sectors = Int(device.size) / 512
        below.removeLast(max(0, below.count - sectors))
        below += repeatElement(0, count: sectors - below.count)
        var position: UInt64 = 0
        let own = try CrashSession.numbers(device, 0, sectors)
        while position < device.size {
            var extents: [Extent] = []
            try device.appendExtents(to: &extents, at: position, length: device.size - position)
            for extent in extents where extent.kind != .hole {
                for sector in Int(extent.offset / 512)..<Int(extent.end / 512) { below[sector] = own[sector] }
            }
            position = extents.last?.end ?? device.size
        }
        try device.close()
        try checkSound(stores[0], child.format)
        return below
    }

    private func checkSound(_ store: RecordingStore, _ format: ImageFormat) throws {
        let copy = RecordingStore(store.bytes, path: store.path, readOnly: true)
        guard let report = try format.check(copy), report.corruptions > 0 else { return }
        throw CrashTrial.Verdict(description: "the check finds damage: \(report.findings.map(\.message))")
    }

    /// Throws unless the work is done: the parent alone shows everything, the image is empty, or on its new parent.
    func checkDone(_ stores: [RecordingStore], _ expected: [UInt64]) throws {
        if isRebase {
            guard try parentName(stores[0]) == (work == .flatten ? nil : "other") else {
                throw CrashTrial.Verdict(description: "the image is on its old parent still")
            }
            return
        }
        let device = try openParent(stores[1])
        let numbers = try CrashSession.numbers(device, 0, Int(device.size) / 512)
        try device.close()
        guard numbers.starts(with: expected) else {
            throw CrashTrial.Verdict(description: "the parent does not show what its child did")
        }
        if work != .commitAndEmpty { return }
        let empty = try openChild(stores[0])
        var extents: [Extent] = []
        try empty.appendExtents(to: &extents, at: 0, length: empty.size)
        try empty.close()
        guard extents.allSatisfy({ $0.kind == .hole }) else {
            throw CrashTrial.Verdict(description: "the image is not empty")
        }
    }
}
