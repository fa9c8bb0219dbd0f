public import CoreTypes

/// What a disk takes at least where it is to be, as far as its images tell before a byte of them is read. A move that cannot have that
/// is refused; one that may need more is told of as a risk.
///
/// - Of storage that gives an image its place as it is written: what the largest image of the disk's chain has allocated, less what
///   that may spend on tables of its own, and the tables of the new format. Zeroes that are stored count, as nobody knows of them
///   before they are read.
///   So does what an image has allocated for other reasons: it was preallocated (by other means than `allocation=thick`), its file system
///   gives a raw file more than was written, or what stands on it hides or has discarded it. A move that is refused because of
///   that fits once there is as much free.
/// - Of storage that gives all of it at once: the disk's size. What an image there has allocated says nothing of its content.
public enum LeastRoom {
    /// Bytes of content in an image that takes `physical` bytes, at least.
    /// - Parameter isThin: it takes its place as it is written (`RepositoryFacts.showsContent`).
    public static func content(of physical: UInt64, format: ImageFormat?, isThin: Bool) -> UInt64 {
        if !isThin { return 0 }
        switch format {
        case .raw: return physical
        // Tables of the smallest clusters are a sixty-fourth; headers and empty tables take part of the first mebibyte.
        case .vhd, .qcow2, nil: return physical - min(physical, physical / 64 + (1 << 20))
        }
    }

    /// Bytes that an image of `format` takes at least with that content.
    public static func bytes(content: UInt64, size: UInt64, format: ImageFormat?, isThick: Bool) -> UInt64 {
        if isThick { return size }
        switch format {
        case .raw, nil: return content
        // A bitmap of 512 bytes for each block of 2 MiB, four bytes in the table for each that there may be, two footers and a header.
        case .vhd: return sum(content, content / 4096 + size / (512 << 10) + 2048)
        // Eight bytes in a table for each cluster of 64 KiB; header, table and refcounts.
        case .qcow2: return sum(content, content / 8192 + 2048)
        }
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
