/// How a disk is written as a stream.
public struct StreamWriteOptions: Hashable, Sendable {
    /// Cluster size and refcount width of qcow2, subformat of VHD. What cannot be streamed is refused: a parent, an
    /// external data file, preallocation, version 2, extended L2 entries.
    public var image = CreateOptions()
    /// Reads all data while planning, and leaves out units that hold only zeroes. The source is read twice then.
    public var dropsZeroes = false

    public init(image: CreateOptions = CreateOptions(), dropsZeroes: Bool = false) {
        self.image = image
        self.dropsZeroes = dropsZeroes
    }
}
