/// What `gantry-datapath copy` is to do, as JSON on its command line; the source is its image.
public struct DiskCopyPlan: Codable, Sendable {
    /// Written. At least as large as the source.
    public var destination: ImageSpecification
    /// The destination begins with what this disk holds: only what differs is written. Nil: everything is.
    public var base: ImageSpecification?
    /// Of a copy that is held back: its rate, and whether it stands, to begin with. Lines with more of them follow on standard
    /// input. Nil: as fast as it goes.
    public var pace: MirrorSettings?

    /// What was written is read again and compared; what is the base's was compared with the base. Nil: it is not.
    public var isVerified: Bool?

    /// An earlier try may have written to the destination, all of which is written again. Nil: nobody has since it reads as the base.
    public var isAgain: Bool?

    /// The code by which the process says that the copy is not like its source.
    public static let differs = "differs"

    public init(
        destination: ImageSpecification, base: ImageSpecification?, pace: MirrorSettings? = nil,
        isVerified: Bool? = nil,
        isAgain: Bool? = nil
    ) {
        self.destination = destination
        self.base = base
        self.pace = pace
        self.isVerified = isVerified
        self.isAgain = isAgain
    }
}
