import Glibc

/// A file that a request names: whoever sends the request to a process that may open nothing opens it in its place.
public struct NamedFile {
    /// Most that are handed over with one request; what the kernel takes, and a chain is shorter.
    static let most = 250

    public let path: String
    let flags: Int32
    public var isWritable: Bool { flags & O_ACCMODE == O_RDWR }
    public var followsLinks: Bool { flags & O_NOFOLLOW == 0 }

    init(_ path: String, writable: Bool, followsLinks: Bool) {
        self.path = path
        flags =
            (writable ? O_RDWR : O_RDONLY) | (followsLinks ? 0 : O_NOFOLLOW) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    }

    /// A descriptor, or -errno.
    public func open() -> Int32 {
        // SAFETY: Swift's own temporary C string.
        let descriptor = unsafe Glibc.open(path, flags)
        return descriptor < 0 ? -errno : descriptor
    }
}

extension ImageSpecification {
    /// The file that all who work on an SR's folder lock.
    public static let folderMarker = ".gantry-sr"

    /// What has to be opened for it, whether it is there or not.
    public var files: [NamedFile] {
        if format == Self.nbd || format == Self.remote { return [] }
        let follows = refusesLinks != true
        var all = [NamedFile(path, writable: !readOnly, followsLinks: follows)]
        all += (parents ?? []).map { NamedFile($0.path, writable: false, followsLinks: follows) }
        if let changeLog { all.append(NamedFile(changeLog, writable: !readOnly, followsLinks: false)) }
        if let slash = path.lastIndex(of: "/") {
            all.append(NamedFile(String(path[...slash]) + Self.folderMarker, writable: false, followsLinks: false))
        }
        return all
    }
}

extension DatapathRequest {
    var files: [NamedFile] {
        switch self {
        case .mirrorStart(let destination, _, _, _): destination.files
        case .resume(let image): image.files
        case .mergeChanges(let log?, _): [NamedFile(log, writable: false, followsLinks: false)]
        default: []
        }
    }
}
