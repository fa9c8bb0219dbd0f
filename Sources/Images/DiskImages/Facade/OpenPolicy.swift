public import CoreTypes

/// An image file and its format, as the caller's own records have them.
public struct ImageReference: Hashable, Sendable {
    public var path: String
    public var format: ImageFormat

    public init(path: String, format: ImageFormat) {
        self.path = path
        self.format = format
    }
}

/// Which other files an image may pull in when it is opened, and how large it may be. What an image says of itself is
/// a stranger's word: the default follows no name.
public struct OpenPolicy: Hashable, Sendable {
    public enum Parents: Hashable, Sendable {
        /// An image that names a parent is refused.
        case refused
        /// An image that names a parent opens without it: what the parent holds reads as zeroes. Only for work on the
        /// image's own structures.
        case ignored
        /// These images are the ancestors, nearest first, whatever names the images hold. Identities that a format
        /// stores are checked.
        case given([ImageReference])
        /// The names are followed as long as they lead to regular files beneath this folder, without symbolic links.
        /// A parent's format must be stored in its child (VHD parents are VHD).
        case within(folder: String)
    }

    /// Which of the two sizes in a VHD's footer the disk has; writers rounded one of them down.
    public enum VHDSize: String, CaseIterable, Hashable, Sendable {
        /// The one that programs like its creator show: the geometry for Virtual PC and older QEMU, else the size field.
        case creator
        /// The size field (`current size`).
        case field
        /// The product of the geometry; of a geometry that says nothing, or is the largest there is, the size field.
        case geometry
    }

    public var parents = Parents.refused
    /// What the last of the ancestors that are given builds on, of a format that is only read (VHDX, VMDK).
    public var foundation: ImportReference?
    /// Which files an ancestor of such a format may use itself. Where names are followed, those beneath the same folder, unless
    /// this says otherwise.
    public var imports = ImportPolicy.standalone
    /// The external data file that a qcow2 image may use; refused when nil.
    public var dataFile: String?
    /// The image, and parents that are given, may be symbolic links. Off where others can change the folder that they lie in.
    public var followsLinks = true
    /// Images in a chain, the opened one included.
    public var longestChain = 30
    /// Bytes; an image that claims more is refused with `.limitExceeded`.
    public var largestVirtualSize = UInt64.max
    /// For a raw image whose format nobody confirmed (it was probed, or only assumed): refuses, with `.denied`, writes
    /// that would make it look like another format to whoever guesses next. Off where trusted metadata say raw: there a
    /// guest may store what it likes.
    public var refusesForeignMarks = false
    /// Opens a child although its parent's identity is not the stored one; for recovery.
    public var ignoresParentIdentity = false
    /// Opens a VHD that blktap disabled on purpose (`v_poison`), parents included; for recovery.
    public var opensDisabled = false
    /// Opens a VHD for reading although its table has blocks in impossible places, parents included: these are errors when they
    /// are read. For who saves what is left.
    public var salvages = false
    /// The size of every VHD that is opened, parents included. Another than `.creator` is for an image of which somebody knows
    /// that its creator's rule does not hold.
    public var vhdSize = VHDSize.creator

    public init(parents: Parents = .refused, dataFile: String? = nil) {
        self.parents = parents
        self.dataFile = dataFile
    }

    /// What an ancestor of a format that is only read may use.
    var ofImports: ImportPolicy {
        var policy = imports
        if case .within(let folder) = parents {
            if policy.parents == .refused { policy.parents = .within(folder: folder) }
            if policy.extents == .refused { policy.extents = .besideDescriptor }
        }
        policy.largestVirtualSize = min(policy.largestVirtualSize, largestVirtualSize)
        policy.followsLinks = policy.followsLinks && followsLinks
        return policy
    }

    /// The same for an image that the caller names: one outside of the folder in which names are followed brings no files that
    /// lie beside it.
    func imports(at path: String) -> ImportPolicy {
        var policy = ofImports
        if case .within(let folder) = parents, imports.extents == .refused,
            !PathsBeneath.isBeneath(path, folder: folder)
        {
            policy.extents = .refused
        }
        return policy
    }

    /// Where nothing says what the ancestors of a new image at `path` are: its parent, and no more.
    public mutating func follow(_ parent: CreateOptions.Parent?, of path: String) {
        guard let parent, parents == .refused else { return }
        switch parent.reference(from: path) {
        case .image(let image): parents = .given([image])
        case .imported(let image):
            parents = .given([])
            foundation = image
        }
    }

    /// No other file.
    public static let standalone = OpenPolicy()

    /// As `standalone`, and no link in the image's place.
    static let unlinked: OpenPolicy = {
        var policy = OpenPolicy.standalone
        policy.followsLinks = false
        return policy
    }()
}
