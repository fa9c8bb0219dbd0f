import BlockIO
import CLinux
import CoreTypes
import Glibc

/// What an image says of its parent.
struct ParentClaim: Sendable {
    /// The format of the image that says it.
    var child: ImageFormat
    /// Names to try in this order, as paths with `/`; relative ones start at the child's folder.
    var names: [String]
    /// The parent's format as far as the child says it; nil: the caller must know.
    var format: ParentFormat?
    /// The parent's identifier (VHD), which must match, as a lower-case UUID.
    var identifier: String?

    init(of child: ImageFormat, names: [String], format: ParentFormat?, identifier: String? = nil) {
        self.child = child
        self.names = names
        self.format = format
        self.identifier = identifier
    }
}

/// A parent found and opened.
struct OpenedParent {
    let path: String
    let format: ParentFormat
    let device: any BlockDevice
}

/// Opens the parents of one chain, by the caller's policy: follows no name that it does not allow, ends loops and chains
/// that are too long. One context serves the opening of one chain.
final class ChainContext {
    let policy: OpenPolicy
    private var depth = 1
    /// The parents opened so far, nearest first.
    private(set) var references: [ImageReference] = []
    /// What the last of them builds on, and that in turn: images of one format that is only read.
    private(set) var foundation: [ImportReference] = []
    private var visited: Set<FileIdentity> = []

    struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    init(policy: OpenPolicy) { self.policy = policy }

    /// Notes an image as part of the chain. `.corrupt` when it is there already.
    func enter(_ file: ImageFile) throws(BlockError) {
        let identity = try file.identity()
        guard visited.insert(FileIdentity(device: identity.device, inode: identity.inode)).inserted else {
            throw BlockError(.corrupt, "the chain of parents comes back to this image", path: file.path)
        }
    }

    /// The external data file that the image now being opened may use: only the topmost has one.
    var dataFile: String? { isTopmost ? policy.dataFile : nil }
    /// The image now being opened is the one that was asked for, and no parent.
    var isTopmost: Bool { depth == 1 }

    /// Opens the parent of the image at `child`, read-only. Nil when the policy is to ignore parents.
    func openParent(_ claim: ParentClaim, of child: String) throws(BlockError) -> OpenedParent? {
        let shown = claim.names.first.map { " “\($0)”" } ?? ""
        switch policy.parents {
        case .ignored: return nil
        case .refused:
            throw BlockError(
                .denied, "the image needs a parent\(shown), which is not followed; name the parent explicitly",
                path: child)
        case .given(let ancestors):
            if depth == ancestors.count + 1, let foundation = policy.foundation {
                try check(.imported(foundation.format), claim, of: child)
                let file = try ImageFile(path: foundation.path, access: .readOnly, followsLinks: policy.followsLinks)
                return try open(foundation, file: file, claim, of: child)
            }
            guard depth <= ancestors.count else {
                throw BlockError(
                    .denied, "the image needs a parent\(shown) and only \(ancestors.count) were given", path: child)
            }
            let reference = ancestors[depth - 1]
            try check(.image(reference.format), claim, of: child)
            let file = try ImageFile(path: reference.path, access: .readOnly, followsLinks: policy.followsLinks)
            return try open(reference, file: file, of: child)
        case .within(let folder):
            guard let format = claim.format else {
                throw BlockError(
                    .denied, "the image does not say the format of its parent\(shown); name the parent explicitly",
                    path: child)
            }
            let found = try PathsBeneath(folder: folder).open(claim.names, from: child)
            guard !found.isBlockDevice else {
                found.close()
                throw BlockError(.denied, "the parent\(shown) is a device; name the parent explicitly", path: child)
            }
            switch format {
            case .image(let format):
                return try open(ImageReference(path: found.path, format: format), file: found, of: child)
            case .imported(let format):
                return try open(ImportReference(path: found.path, format: format), file: found, claim, of: child)
            }
        }
    }

    private func check(_ given: ParentFormat, _ claim: ParentClaim, of child: String) throws(BlockError) {
        guard let format = claim.format, format != given else { return }
        throw BlockError(
            .invalidImage, "the image says that its parent is \(format.name), and \(given.name) was given", path: child)
    }

    private func open(
        _ reference: ImageReference, file: ImageFile, of child: String
    ) throws(BlockError) -> OpenedParent {
        do throws(BlockError) {
            try goDeeper(from: child)
            references.append(reference)
            return OpenedParent(
                path: reference.path, format: .image(reference.format),
                device: try DiskImage.open(file: file, format: reference.format, context: self))
        } catch {
            file.close()
            throw error
        }
    }

    /// From here on down all images are of one format that is only read, and open their parents themselves.
    private func open(
        _ reference: ImportReference, file: ImageFile, _ claim: ParentClaim, of child: String
    ) throws(BlockError) -> OpenedParent {
        do throws(BlockError) {
            try FormatCapabilities.check(.imported(reference.format), of: claim.child)
            try goDeeper(from: child)
            try enter(file)
            var imports = policy.ofImports
            imports.longestChain = min(imports.longestChain, policy.longestChain - depth + 1)
            let context = ImportContext(policy: imports)
            let device = try DiskImage.openImport(file: file, format: reference.format, context: context)
            foundation = ([reference.path] + context.parents).map {
                ImportReference(path: $0, format: reference.format)
            }
            return OpenedParent(path: reference.path, format: .imported(reference.format), device: device)
        } catch {
            file.close()
            throw error.at(path: reference.path)
        }
    }

    private func goDeeper(from child: String) throws(BlockError) {
        depth += 1
        guard depth <= policy.longestChain else {
            throw BlockError(
                .limitExceeded, "the chain of parents is longer than \(policy.longestChain) images", path: child)
        }
    }
}
