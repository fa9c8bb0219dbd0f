public import BlockIO
public import CoreTypes

extension DiskImage {
    public enum RebaseMode: String, CaseIterable, Sendable {
        /// The image shows the same as before: what the parents show differently is stored in the image first.
        case safe
        /// Only the name changes: the caller knows that the new parent shows what the old one did (or accepts that the
        /// image does not).
        case unsafe
    }

    /// Puts an image on another parent, or (nil) on none. The image names the old parent or the new one after a crash
    /// at any moment, and shows what it did with both (`safe`).
    /// - Parameters:
    ///   - newParent: with the format that is recorded, which may be one that is only read where `format` allows that; a VHD
    ///     differencing image records its identity too.
    ///   - storedName: how the image names it; by default the file's name when both are in one folder, else the
    ///     absolute path.
    ///   - policy: finds the present parents, when it is safe.
    ///   - ancestors: the new parent's own, nearest first; found with `policy` when nil and the policy follows names.
    public static func rebase(
        path: String, format: ImageFormat, to newParent: ParentReference?, storedName: String? = nil,
        mode: RebaseMode, policy: OpenPolicy = .standalone, ancestors: [ImageReference]? = nil,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        guard format != .raw else { throw BlockError(.unsupported, "a raw image has no parent", path: path) }
        var name: String?
        if let newParent {
            do throws(BlockError) {
                try FormatCapabilities.check(newParent.format, of: format)
            } catch { throw error.at(path: newParent.path) }
            if let storedName { name = storedName } else { name = try self.storedName(of: newParent.path, in: path) }
            guard let name, !name.isEmpty, !name.utf8.contains(where: { $0 < 32 || $0 == 127 }),
                !name.prefix(while: { $0 != "/" }).contains(":")
            else {
                throw BlockError(
                    .denied,
                    "the name of a parent has no control characters, and no colon in front of the first slash",
                    path: path)
            }
        }
        var above = policy
        if let ancestors { above.parents = .given(ancestors) }
        if case .given = policy.parents, ancestors == nil {
            above.parents = .given([])
            above.foundation = nil
            // One that is only read, and its parent: both are of the command that named them.
            if case .image? = newParent { above.imports.parents = .refused }
        }
        above.dataFile = nil
        if let newParent { try checkApart(path, newParent, mode, above) }
        if mode == .safe {
            try keepContent(path, format, newParent, policy, above, progress, cancellation)
        }
        let file = try ImageFile(path: path, access: .readWrite, followsLinks: policy.followsLinks)
        defer { file.close() }
        do throws(BlockError) {
            try replaceParent(of: file, format, newParent, name: name, opensDisabled: policy.opensDisabled)
        } catch { throw error.at(path: path) }
    }

    /// The same with a parent that can be written.
    public static func rebase(
        path: String, format: ImageFormat, to newParent: ImageReference, storedName: String? = nil,
        mode: RebaseMode, policy: OpenPolicy = .standalone, ancestors: [ImageReference]? = nil,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        try rebase(
            path: path, format: format, to: .image(newParent), storedName: storedName, mode: mode, policy: policy,
            ancestors: ancestors, progress: progress, cancellation: cancellation)
    }

    /// The image in a file that is open for nothing else names another parent, or (nil) none; durable then. One that was
    /// disabled on purpose stays so, and is refused unless `opensDisabled`.
    static func replaceParent(
        of file: any ImageStorage, _ format: ImageFormat, _ newParent: ParentReference?, name: String?,
        opensDisabled: Bool = false
    ) throws(BlockError) {
        switch format {
        case .raw: return
        case .vhd:
            var parent: VHDParent?
            if let newParent, let name { parent = try VHDParent(newParent, name: name, opensDisabled: opensDisabled) }
            try VHDImage.replaceParent(file: file, with: parent, opensDisabled: opensDisabled)
        case .qcow2: try QCOW2Image.replaceParent(storage: file, name: name, format: newParent?.format)
        }
        try file.sync()
    }

    /// The image must not become its own ancestor.
    private static func checkApart(
        _ path: String, _ newParent: ParentReference, _ mode: RebaseMode, _ policy: OpenPolicy
    ) throws(BlockError) {
        let own = try ImageFile(
            path: path, access: .readOnly, locking: false, followsLinks: policy.followsLinks)
        defer { own.close() }
        let identity = try own.identity()
        var files = [newParent.path]
        // Which parents the new one has is nobody's business when only the name changes, and they need not be there.
        if mode == .safe, case .image(let image) = newParent {
            files = try lineage(path: image.path, format: image.format, policy: policy).all.map(\.path)
        }
        for other in files {
            let file: ImageFile
            do throws(BlockError) {
                file = try ImageFile(
                    path: other, access: .readOnly, locking: false, followsLinks: policy.followsLinks)
            } catch {
                if mode == .unsafe && error.code == .notFound { continue }
                throw error
            }
            defer { file.close() }
            if try file.identity() == identity {
                throw BlockError(.corrupt, "the image would be among its own parents", path: path)
            }
        }
    }

    private static func keepContent(
        _ path: String, _ format: ImageFormat, _ newParent: ParentReference?, _ policy: OpenPolicy,
        _ newPolicy: OpenPolicy, _ progress: ProgressCounter, _ cancellation: CancellationFlag
    ) throws(BlockError) {
        let child = try open(path: path, format: format, readOnly: false, policy: policy)
        do throws(BlockError) {
            try requireNoSnapshots(child, path)
            var parent: (any BlockDevice)?
            if let newParent { parent = try open(newParent, policy: newPolicy) }
            defer { try? parent?.close() }
            try keepContent(
                of: child, format, over: parent, ChainCopier(progress: progress, cancellation: cancellation))
        } catch {
            try? child.close()
            throw error
        }
        try child.close()
    }

    /// Makes an image store, durably, what it would not show over another parent (nil: none) otherwise.
    static func keepContent(
        of child: any BlockDevice, _ format: ImageFormat, over parent: (any BlockDevice)?, _ copier: ChainCopier
    ) throws(BlockError) {
        // A VHD stores single sectors, a qcow2 image clusters.
        let unit = format == .vhd ? 4096 : min(child.preferredAlignment, UInt64(ChainCopier.step))
        try copier.keep(child, over: parent, unit: unit)
        try child.flush()
    }
}
