extension DiskMotion.Observation {
    /// Whether the disk may become the destination, where a pivot was prepared and all was well then: other disks' pivots
    /// and drivers' answers may lie between, in which the destination may have refused a write.
    ///
    /// A process that is gone since has answered nothing that both images do not hold.
    public var allowsCommit: Bool {
        switch self {
        case .dual, .destinationOnly, .undecided(destinationFailed: false), .absent: true
        case .undecided(destinationFailed: true), .broken, .mirroring, .sourceOnly: false
        }
    }
}
