/// Which other files an imported image may pull in, and how large it may be. The default allows none.
public struct ImportPolicy: Hashable, Sendable {
    public enum Parents: Hashable, Sendable {
        /// An image that has a parent is refused.
        case refused
        /// These files are the ancestors, nearest first, of the image's own format, whatever names the images hold.
        /// Identities are checked.
        case given([String])
        /// The names are followed as long as they lead to regular files beneath this folder, without symbolic links.
        /// VHDX only: parents of a VMDK must be given.
        case within(folder: String)
    }

    /// The files that a VMDK descriptor may use.
    public enum Extents: Hashable, Sendable {
        /// None: the image must be one file.
        case refused
        /// These files: a descriptor means one of them by the last part of its path. One beside it that has the name is meant
        /// before all others, and must be given then; of several elsewhere none is taken.
        case given([String])
        /// Regular files in the descriptor's own folder or beneath it, without symbolic links.
        case besideDescriptor
    }

    public var parents = Parents.refused
    public var extents = Extents.refused
    /// Images in a chain, the opened one included.
    public var longestChain = 30
    /// Bytes; an image that claims more is refused with `.limitExceeded`.
    public var largestVirtualSize = UInt64.max
    /// The image, and files that are given, may be symbolic links.
    public var followsLinks = true

    public init(parents: Parents = .refused, extents: Extents = .refused) {
        self.parents = parents
        self.extents = extents
    }

    /// No other file.
    public static let standalone = ImportPolicy()
}
