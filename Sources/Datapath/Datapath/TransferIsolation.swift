public import DatapathControl

/// Who a process is that moves one disk's content, as a stream or into another image, and ends: what it reads strangers have
/// made, as it is for those that serve disks.
public enum TransferIsolation {
    /// Processes and threads of its user, which no other process is meanwhile (`DatapathUserLoan` of the toolstack).
    private static let threads: UInt64 = 256

    /// Before there are threads, and before anything of an image is read. From here on the process has `images`, each to read or to
    /// write as it says, its standard streams, and, as root with a `user`, nothing else: no file system, no network, no
    /// capability. Without one it keeps its user and opens these images only, by their names.
    public static func enter(_ images: [ImageSpecification], user: UInt32?) throws {
        // An export in TLS needs a folder of certificates, which may be anywhere.
        let isOpen = images.contains { $0.format == ImageSpecification.remote && $0.path.hasPrefix("nbds") }
        if let user, !isOpen {
            try DatapathIsolation.enter(images, user: user, threads: threads)
        } else if !isOpen {
            DatapathConfinement.keepFiles(of: images, folders: [])
        }
        // Who has another way to a server asks on it.
        let connects = images.contains { $0.server != nil } && (user == nil || isOpen)
        DatapathConfinement.apply(network: connects)
    }
}

extension ImageSpecification {
    /// The same, only read.
    var asSource: ImageSpecification {
        var source = self
        source.readOnly = true
        return source
    }
}
