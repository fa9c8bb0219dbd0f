import BlockIO

/// Opens the files that an imported image needs besides its own, by the caller's policy; ends loops and chains that are
/// too long. One context serves the opening of one image.
final class ImportContext {
    private let policy: ImportPolicy
    private var depth = 1
    /// The parents opened so far, nearest first.
    private(set) var parents: [String] = []
    private var visited: Set<ChainContext.FileIdentity> = []

    /// The image comes from a stream: it has no files beside it, whatever its ancestors have.
    private let isFromStream: Bool

    init(policy: ImportPolicy, isFromStream: Bool = false) {
        self.policy = policy
        self.isFromStream = isFromStream
    }

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
            let file = try ImageFile(
                path: paths[depth - 2], access: .readOnly, followsLinks: policy.followsLinks)
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
        if isFromStream, depth == 1 {
            throw BlockError(
                .denied, "the image needs the file “\(name)”, and a stream cannot name files", path: descriptor)
        }
        switch policy.extents {
        case .refused:
            throw BlockError(
                .denied, "the descriptor needs the file “\(name)”, and the files it may use were not given",
                path: descriptor)
        case .given(let paths):
            let path = try given(name, paths, of: descriptor)
            let file = try ImageFile(path: path, access: .readOnly, followsLinks: policy.followsLinks)
            return try regular(file, "extent", of: descriptor)
        case .besideDescriptor:
            if name.hasPrefix("/") {
                throw BlockError(
                    .denied, "the descriptor names the file “\(name)” by an absolute path", path: descriptor)
            }
            return try regular(
                PathsBeneath(folder: Self.folder(of: descriptor), role: "extent").open([name], from: descriptor),
                "extent", of: descriptor)
        }
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    }

    /// The one of `paths` that a descriptor means by a name. Files of one name lie in many folders: exports of one machine are
    /// called after it.
    private func given(_ name: String, _ paths: [String], of descriptor: String) throws(BlockError) -> String {
        let own = PathsBeneath.real(Self.folder(of: descriptor) + "/" + name)
        var found: Set<String> = []
        for path in paths where path.split(separator: "/").last.map(String.init) == name {
            let real = PathsBeneath.real(path)
            if let own, real == own { return path }
            if own == nil { found.insert(real ?? path) }
        }
        guard let path = found.first else {
            let words = own == nil ? "which is" : "and the one beside it is"
            throw BlockError(
                .denied, "the descriptor needs the file “\(name)”, \(words) not among those given",
                path: descriptor)
        }
        guard found.count == 1 else {
            throw BlockError(
                .denied, "the descriptor needs the file “\(name)”, and several files of that name are given",
                path: descriptor)
        }
        return path
    }

    private func regular(_ file: ImageFile, _ role: String, of image: String) throws(BlockError) -> ImageFile {
        guard !file.isBlockDevice else {
            file.close()
            throw BlockError(.denied, "the \(role) \(file.path) is a device, which no image may name", path: image)
        }
        return file
    }
}
