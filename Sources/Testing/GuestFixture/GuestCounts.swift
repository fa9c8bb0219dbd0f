/// What the guest says about its own work: one `GANTRY …` line of its console.
public struct GuestCounts: Sendable, Hashable {
    public var writes = 0
    /// Records read back and compared.
    public var reads = 0
    /// Imported files read and compared.
    public var tree = 0
    /// Reads and writes that failed.
    public var errors = 0
    /// Reads that succeeded with other bytes than were written.
    public var checksumFailures = 0
    /// The slowest write with its flush, milliseconds; measured in steps of 10.
    public var longestStallMilliseconds = 0
    /// Records read in the last complete verification.
    public var verified = 0

    public var isClean: Bool { errors == 0 && checksumFailures == 0 }

    /// Nil unless all of `words` are `name=number` and the first is `writes`.
    init?(words: ArraySlice<Substring>) {
        guard words.first?.hasPrefix("writes=") == true else { return nil }
        for word in words {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let number = Int(parts[1]) else { return nil }
            switch parts[0] {
            case "writes": writes = number
            case "reads": reads = number
            case "tree": tree = number
            case "errors": errors = number
            case "checksum_failures": checksumFailures = number
            case "longest_stall_ms": longestStallMilliseconds = number
            case "verified": verified = number
            default: break
            }
        }
    }
}
