/// What `gantry-datapath copy` is to do, as JSON on its command line; the source is its image.
public struct DiskCopyPlan: Codable, Sendable {
    /// Written. At least as large as the source.
    public var destination: ImageSpecification
    /// The destination begins with what this disk holds: only what differs is written. Nil: everything is.
    public var base: ImageSpecification?

    public init(destination: ImageSpecification, base: ImageSpecification?) {
        self.destination = destination
        self.base = base
    }
}
