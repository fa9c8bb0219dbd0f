public import BlockIO
public import CoreTypes
import Glibc

/// What can be done with an image and the images below it. Nobody else may have the images open that are written.
extension DiskImage {
    /// The images of a chain that can be written, the topmost first, as `policy` finds them. Loops, chains that are too long and
    /// names that the policy does not allow are refused as they are when the image is opened.
    public static func chain(
        path: String, format: ImageFormat, policy: OpenPolicy
    ) throws(BlockError) -> [ImageReference] {
        try lineage(path: path, format: format, policy: policy).images
    }

    /// The same with what is only read behind them.
    public static func lineage(
        path: String, format: ImageFormat, policy: OpenPolicy
    ) throws(BlockError) -> ImageLineage {
        let file = try ImageFile(path: path, access: .readOnly, locking: false)
        let context = ChainContext(policy: policy)
        var notes: [String] = []
        do throws(BlockError) {
            let device = try open(file: file, format: format, context: context)
            notes = Self.notes(of: device)
            try device.close()
        } catch {
            file.close()
            throw error.at(path: path)
        }
        return ImageLineage(
            images: [ImageReference(path: path, format: format)] + context.references, foundation: context.foundation,
            notes: notes)
    }

    /// The image and its ancestors when the nearest is one that can be written.
    private static func writableLineage(
        _ path: String, _ format: ImageFormat, _ policy: OpenPolicy
    ) throws(BlockError) -> ImageLineage {
        let lineage = try lineage(path: path, format: format, policy: policy)
        if lineage.images.count > 1 { return lineage }
        guard let parent = lineage.foundation.first else {
            throw BlockError(.unsupported, "the image has no parent that its content could go to", path: path)
        }
        throw BlockError(
            .unsupported,
            "the content of the image cannot go to its parent \(parent.path): images of the format "
                + "\(parent.format.rawValue) can only be read; convert the image, which gives one without a parent",
            path: path)
    }

    /// Puts what the image holds itself into its parent, which becomes what the image shows: zeroes that hide the
    /// parent's data too, and grown first when it is shorter (a longer parent keeps its end). Durable when this returns.
    ///
    /// Other children of the parent would see it change: there must be none. Until it is emptied, removed or put on
    /// another parent the image shows the same as before, at any moment, and doing it again after a crash is harmless.
    /// - Parameters:
    ///   - policy: finds the parent, its ancestors, and (`dataFile`) the image's external data file.
    ///   - empties: afterwards the image holds nothing itself (qcow2 only).
    /// - Throws: `.unsupported` when the image has no parent, or one that can only be read, or the parent is too short and
    ///   cannot grow.
    public static func commit(
        path: String, format: ImageFormat, policy: OpenPolicy, empties: Bool = false,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        let lineage = try writableLineage(path, format, policy)
        let chain = lineage.images
        if empties && format != .qcow2 {
            throw BlockError(
                .unsupported, "a \(format.rawValue) image cannot be emptied; remove it instead", path: path)
        }
        var alone = policy
        alone.parents = .ignored
        let child = try open(path: path, format: format, readOnly: !empties, policy: alone)
        do throws(BlockError) {
            try requireNoSnapshots(child, path)
            if empties, let image = child as? QCOW2Image, image.hasExternalData {
                throw BlockError(
                    .unsupported,
                    "an image with an external data file cannot be emptied; leave its content, and remove it afterwards",
                    path: path)
            }
            let parent = try open(
                path: chain[1].path, format: chain[1].format, readOnly: false,
                policy: lineage.policy(below: 1, from: policy))
            do throws(BlockError) {
                try commit(child, into: parent, ChainCopier(progress: progress, cancellation: cancellation))
            } catch {
                try? parent.close()
                throw error.at(path: chain[1].path)
            }
            try parent.close()
            if empties, let image = child as? QCOW2Image { try image.removeContent() }
        } catch {
            try? child.close()
            throw error
        }
        try child.close()
    }

    /// The content of an image that was opened without its parents goes into its parent, which is durable then.
    static func commit(
        _ child: any BlockDevice, into parent: any BlockDevice, _ copier: ChainCopier
    ) throws(BlockError) {
        try grow(parent, to: child.size)
        try copier.commit(child, into: parent)
        try parent.flush()
    }

    /// What an internal snapshot does not store itself it shows of the image's parent: `.unsupported` before that is
    /// changed or exchanged.
    static func requireNoSnapshots(_ device: any BlockDevice, _ path: String) throws(BlockError) {
        guard let keeper = device as? any SnapshotKeeper else { return }
        let count = try keeper.snapshots().count
        if count == 0 { return }
        throw BlockError(
            .unsupported,
            "the image has \(count) internal snapshot\(count == 1 ? "" : "s"), which would show something else afterwards; "
                + "delete them first, or convert them to images of their own", path: path)
    }

    private static func grow(_ parent: any BlockDevice, to size: UInt64) throws(BlockError) {
        if parent.size >= size { return }
        guard let resizable = parent as? any ResizableDevice else {
            throw BlockError(
                .unsupported,
                "the parent has \(parent.size) bytes, \(size) are needed, and it cannot be enlarged")
        }
        try resizable.resize(to: size, preallocation: .off)
        try parent.flush()
    }

    /// Takes an image out of the middle of a chain: its content goes to its parent (`commit`), and then its children
    /// become the parent's. The image itself is left for the caller to remove. Every image shows the same as before at
    /// any moment, and doing it again after a crash is harmless.
    /// - Parameter children: all images whose parent this one is.
    public static func coalesce(
        path: String, format: ImageFormat, children: [ImageReference], policy: OpenPolicy,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        let lineage = try writableLineage(path, format, policy)
        let chain = lineage.images
        try commit(path: path, format: format, policy: policy, progress: progress, cancellation: cancellation)
        func described(_ image: ImageReference) throws(BlockError) -> ImageInfo {
            try info(path: image.path, format: image.format, vhdSize: policy.vhdSize)
        }
        let own = try described(ImageReference(path: path, format: format)).virtualSize
        let below = try described(chain[1]).virtualSize
        for child in children {
            if cancellation.isCancelled { throw BlockError(.cancelled, "stopped as asked") }
            var above = OpenPolicy.standalone
            above.opensDisabled = policy.opensDisabled
            above.vhdSize = policy.vhdSize
            // Where this image has ended, a longer child shows zeroes, and a longer parent something else. One that is on
            // the parent already, from before an interruption, has stored them.
            let known = try described(child)
            let isOnParent = known.parentName.map { isFile($0, in: child.path, chain[1].path) } ?? false
            let showsMore = own < below && own < known.virtualSize && !isOnParent
            if showsMore {
                above = lineage.policy(below: 0, from: above)
                above.imports = lineage.policy(below: 0, from: policy).imports
                above.parents = .given([ImageReference(path: path, format: format)] + chain.dropFirst())
                above.ignoresParentIdentity = policy.ignoresParentIdentity
            }
            try rebase(
                path: child.path, format: child.format, to: chain[1], mode: showsMore ? .safe : .unsafe, policy: above,
                ancestors: showsMore ? Array(chain.dropFirst(2)) : nil, cancellation: cancellation)
        }
    }

    /// Whether a name in the image at `child` leads to the file at `path`.
    private static func isFile(_ name: String, in child: String, _ path: String) -> Bool {
        let found = CreateOptions.Parent(name: name, format: ImageFormat.raw).reference(from: child).path
        guard let one = try? ImageFile(path: found, access: .readOnly, locking: false) else { return false }
        defer { one.close() }
        guard let other = try? ImageFile(path: path, access: .readOnly, locking: false) else { return false }
        defer { other.close() }
        guard let mine = try? one.identity(), let theirs = try? other.identity() else { return false }
        return mine == theirs
    }

    /// How the name of `parent` is stored in the image at `child`: the file's name when both are in one folder, else
    /// the absolute path.
    static func storedName(of parent: String, in child: String) throws(BlockError) -> String {
        let own = try resolvedFolder(of: child)
        let other = try resolvedFolder(of: parent)
        let name = parent.split(separator: "/").last.map(String.init) ?? parent
        return own == other ? name : (other == "/" ? "" : other) + "/" + name
    }

    private static func resolvedFolder(of path: String) throws(BlockError) -> String {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        // SAFETY: realpath allocates the result, which is freed here.
        guard let resolved = unsafe realpath(folder, nil) else {
            throw BlockError(call: "realpath", errno: errno, path: folder)
        }
        let text = unsafe String(cString: resolved)
        unsafe free(resolved)
        return text
    }
}
