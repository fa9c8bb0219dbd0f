/// What `gantry-datapath copy` is to do, as JSON on its command line; the source is its image.
public struct DiskCopyPlan: Codable, Sendable {
    /// Written. At least as large as the source.
    public var destination: ImageSpecification
    /// The destination begins with what this disk holds: only what differs is written. Nil: everything is.
    public var base: ImageSpecification?
    /// Of a copy that is held back: its rate, and whether it stands, to begin with. Lines with more of them follow on standard
    /// input. Nil: as fast as it goes.
    public var pace: MirrorSettings?

    public init(destination: ImageSpecification, base: ImageSpecification?, pace: MirrorSettings? = nil) {
        self.destination = destination
        self.base = base
        self.pace = pace
    }
}
