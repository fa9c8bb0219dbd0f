import BlockIO

/// Opens the files that an imported image needs besides its own, by the caller's policy; ends loops and chains that are
/// too long. One context serves the opening of one image.
final class ImportContext {
    private let policy: ImportPolicy
    private var depth = 1
    /// The parents opened so far, nearest first.
    private(set) var parents: [String] = []
    private var visited: Set<ChainContext.FileIdentity> = []

    init(policy: ImportPolicy) { self.policy = policy }

    /// Notes a file as part of the image. `.corrupt` when it is there already.
    func enter(_ storage: any ImageStorage) throws(BlockError) {
        guard let file = storage as? ImageFile else { return }
        let identity = try file.identity()
        let isNew = visited.insert(
            ChainContext.FileIdentity(device: identity.device, inode: identity.inode)
        ).inserted
        guard isNew else { throw BlockError(.corrupt, "the image uses this file twice", path: file.path) }
    }

    /// `.limitExceeded` for a virtual size above the caller's limit.
    func checkSize(_ size: UInt64) throws(BlockError) {
        guard size <= policy.largestVirtualSize else {
            throw BlockError(
                .limitExceeded, "the image claims \(size) bytes; \(policy.largestVirtualSize) are allowed here")
        }
    }

    /// Opens the file of the parent of the image at `child`.
    /// - Parameter names: to try in this order; nil for a format whose names are not followed.
    func openParent(names: [String]?, of child: String) throws(BlockError) -> ImageFile {
        let shown = names?.first.map { " “\($0)”" } ?? ""
        guard depth < policy.longestChain else {
            throw BlockError(
                .limitExceeded, "the chain of parents is longer than \(policy.longestChain) images", path: child)
        }
        depth += 1
        switch policy.parents {
        case .refused:
            throw BlockError(
                .denied, "the image needs a parent\(shown), which is not followed; name the parent explicitly",
                path: child)
        case .given(let paths):
            guard depth - 2 < paths.count else {
                throw BlockError(
                    .denied, "the image needs a parent\(shown) and only \(paths.count) were given", path: child)
            }
            let file = try ImageFile(path: paths[depth - 2], access: .readOnly)
            parents.append(file.path)
            return file
        case .within(let folder):
            guard let names else {
                throw BlockError(
                    .denied, "the parent of an image of this format must be named explicitly", path: child)
            }
            let file = try PathsBeneath(folder: folder).open(names, from: child)
            let found = try regular(file, "parent", of: child)
            parents.append(found.path)
            return found
        }
    }

    /// Opens a file with a part of the disk, which the descriptor at `descriptor` calls `name`.
    func openExtent(_ name: String, of descriptor: String) throws(BlockError) -> ImageFile {
        switch policy.extents {
        case .refused:
            throw BlockError(
                .denied, "the descriptor needs the file “\(name)”, and the files it may use were not given",
                path: descriptor)
        case .given(let paths):
            guard let path = paths.first(where: { $0.split(separator: "/").last.map(String.init) == name }) else {
                throw BlockError(
                    .denied, "the descriptor needs the file “\(name)”, which is not among those given",
                    path: descriptor)
            }
            return try regular(ImageFile(path: path, access: .readOnly), "extent", of: descriptor)
        case .besideDescriptor:
            if name.hasPrefix("/") {
                throw BlockError(
                    .denied, "the descriptor names the file “\(name)” by an absolute path", path: descriptor)
            }
            let folder = descriptor.lastIndex(of: "/").map { String(descriptor[...$0]) } ?? "."
            return try regular(
                PathsBeneath(folder: folder, role: "extent").open([name], from: descriptor), "extent", of: descriptor)
        }
    }

    private func regular(_ file: ImageFile, _ role: String, of image: String) throws(BlockError) -> ImageFile {
        guard !file.isBlockDevice else {
            file.close()
            throw BlockError(.denied, "the \(role) \(file.path) is a device, which no image may name", path: image)
        }
        return file
    }
}
