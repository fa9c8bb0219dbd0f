import BlockIO
import CoreTypes

@testable import DiskImages

/// Three images, each the parent of the one before it as far as they say so, in files. The first byte chooses the formats
/// (two bits each), the second what is done and by which policy, the next four are the lengths of the first two images.
///
/// The files are `child`, `parent` and `grand`. What shows the same before and after by its contract must do so, where no
/// image is damaged.
///
/// Its `fatalError`s are findings: a crash is how a fuzz target reports what must not happen.
struct ChainTrial {
    private static let names = ["child", "parent", "grand"]
    /// Bytes of the largest disk whose content is compared.
    private static let largest: UInt64 = 1 << 20

    private let images: [ImageReference]
    private let policy: OpenPolicy

    static func run(_ input: [UInt8]) {
        guard input.count > 6 else { return }
        let lengths = [Int(input[2]) << 8 | Int(input[3]), Int(input[4]) << 8 | Int(input[5])]
        var rest = input.dropFirst(6)
        var images: [ImageReference] = []
        for (index, name) in names.enumerated() {
            let length = index < 2 ? min(lengths[index], rest.count) : rest.count
            let bytes = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            let format: ImageFormat = [.qcow2, .vhd, .raw, .qcow2][Int(input[0] >> UInt8(2 * index)) & 3]
            ScratchFolder.write(format == .vhd ? Checksums.repairedVHD(bytes) : bytes, to: name)
            images.append(ImageReference(path: ScratchFolder.path + "/" + name, format: format))
        }
        var policy = OpenPolicy(
            parents: input[1] & 1 == 0 ? .given(Array(images.dropFirst())) : .within(folder: ScratchFolder.path))
        policy.ignoresParentIdentity = input[1] & 2 == 0
        policy.largestVirtualSize = 1 << 40
        ChainTrial(images: images, policy: policy).run(Int(input[1] >> 2))
        for name in names where ScratchFolder.read(name) == nil { fatalError("\(name) is gone") }
    }

    private func run(_ action: Int) {
        guard let found = try? DiskImage.chain(path: images[0].path, format: images[0].format, policy: policy) else {
            // Refused, which must be so each time, and without an open lock.
            if let device = try? open(policy) {
                try? device.close()
                fatalError("a chain is opened that was refused before")
            }
            return
        }
        precondition(found.count <= 3, "a chain of three files has \(found.count) images")
        let isSound = found.allSatisfy { image in
            if image.format == .raw { return true }
            return (try? DiskImage.check(path: image.path, format: image.format))?.findings.isEmpty ?? false
        }
        let before = look(policy)
        var policy = policy
        if let shorter = change(action, found), case .given = policy.parents {
            policy.parents = .given(Array(shorter.dropFirst()))
        }
        guard isSound, let before, before.count <= Int(Self.largest) else { return }
        guard let after = look(policy) else { fatalError("a chain that was sound cannot be read any more") }
        if let place = after.firstDifference(from: before, except: 0..<0) {
            fatalError("action \(action) changed byte \(place) of what the image shows")
        }
        for image in found where image.format != .raw {
            guard let report = try? DiskImage.check(path: image.path, format: image.format) else {
                fatalError("\(image.path) cannot be checked any more")
            }
            if report.corruptions > 0 {
                fatalError("action \(action) damaged \(image.path): \(report.findings.first?.message ?? "")")
            }
        }
    }

    private func open(_ policy: OpenPolicy) throws(BlockError) -> any BlockDevice {
        try DiskImage.open(path: images[0].path, format: images[0].format, readOnly: true, policy: policy)
    }

    /// What the chain shows, and the extents that it tells of; nil when it cannot be read, or is too large.
    private func look(_ policy: OpenPolicy) -> PagedBytes? {
        guard let device = try? open(policy) else { return nil }
        defer { try? device.close() }
        ImageTrial.look(device)
        guard device.size <= Self.largest, let content = DiskModel.content(of: device) else { return nil }
        let extents = try? device.extents(at: 0, length: device.size)
        let nothing = PagedBytes(zeroes: content.count)
        for extent in extents ?? [] where extent.kind != .data {
            if content.firstDifference(from: nothing, in: Int(extent.offset)..<Int(extent.end)) != nil {
                fatalError("\(extent) is not data and does not read as zeroes")
            }
        }
        return content
    }

    /// Work on chains that does not change what the image shows. Errors are welcome. Returns the chain when it is another.
    private func change(_ action: Int, _ found: [ImageReference]) -> [ImageReference]? {
        let (path, format) = (images[0].path, images[0].format)
        switch action % 6 {
        case 0: break
        case 1: try? DiskImage.commit(path: path, format: format, policy: policy)
        case 2: try? DiskImage.commit(path: path, format: format, policy: policy, empties: true)
        case 3:
            try? DiskImage.rebase(path: path, format: format, to: nil, mode: .safe, policy: policy)
        case 4:
            guard found.count == 3 else { return nil }
            var below = policy
            if case .given = policy.parents { below.parents = .given([found[2]]) }
            let isDone =
                (try? DiskImage.coalesce(
                    path: found[1].path, format: found[1].format, children: [images[0]], policy: below)) != nil
            return isDone ? [found[0], found[2]] : nil
        default:
            guard found.count > 1 else { return nil }
            let control = MergeControl(exclusively: { (step) throws(BlockError) in try step() }, reached: { _ in })
            try? DiskImage.merge(images[0], into: Array(found.dropFirst()), control)
        }
        return nil
    }
}

extension PagedBytes {
    /// A file that is one hole.
    init(zeroes count: Int) {
        self.init()
        resize(to: count)
    }
}
