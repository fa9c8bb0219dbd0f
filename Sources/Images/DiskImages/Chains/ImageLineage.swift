/// An image and what it builds on, as they were found.
public struct ImageLineage: Hashable, Sendable {
    /// The image, and its ancestors that can be written, nearest first.
    public let images: [ImageReference]
    /// What the last of those builds on, and that in turn: images of one format that is only read.
    public let foundation: [ImportReference]
    /// What a person should know of them, as of an open device.
    public let notes: [String]

    /// All of them, the image first.
    public var all: [ParentReference] { images.map { .image($0) } + foundation.map { .imported($0) } }

    /// Finds the ancestors of `images[index]` where `policy` has found them, whatever names images hold now.
    func policy(below index: Int, from policy: OpenPolicy) -> OpenPolicy {
        var found = policy
        found.dataFile = nil
        found.imports = policy.ofImports
        found.parents = .given(Array(images.dropFirst(index + 1)))
        found.foundation = foundation.first
        found.imports.parents = foundation.count > 1 ? .given(foundation.dropFirst().map(\.path)) : .refused
        return found
    }
}
