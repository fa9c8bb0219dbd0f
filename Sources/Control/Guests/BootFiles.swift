import Glibc

/// The folders from which guests may be given a kernel and an initial RAM disk. QEMU puts such a file into the guest's memory,
/// where the guest reads it, and clients say which: any other file of the host would be theirs. Source: xapi's
/// `allowed_dom0_directories_for_boot_files`.
public struct BootFiles: Sendable {
    /// The folder that XenAPI's toolstacks know.
    public static let standardFolder = "/var/lib/xcp/guest"

    /// Why a file is not taken.
    public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// `kernel` or `ramdisk`.
        public let parameter: String
        /// As it was given.
        public let file: String
        /// In XenAPI's words.
        public let reason: String

        public var description: String { "the \(parameter) \(file) is refused: \(reason)" }
    }

    public let folders: [String]

    /// Absolute paths. A folder may be a symbolic link, and need not be there.
    public init(folders: [String] = [Self.standardFolder]) { self.folders = folders }

    /// What the guest boots from, with the files' own paths: links were followed, the files are regular ones in one of the folders.
    public func resolved(_ boot: GuestSpecification.Boot) throws(Refusal) -> GuestSpecification.Boot {
        guard case .kernel(let kernel, let initrd, let arguments) = boot else { return boot }
        let files = (
            kernel: try resolved(kernel, as: "kernel"),
            ramdisk: try initrd.map { (file) throws(Refusal) in
                try resolved(file, as: "ramdisk")
            }
        )
        return .kernel(kernel: files.kernel, initrd: files.ramdisk, arguments: arguments)
    }

    private func resolved(_ file: String, as parameter: String) throws(Refusal) -> String {
        func refused(_ reason: String) -> Refusal { Refusal(parameter: parameter, file: file, reason: reason) }
        guard let path = Self.realPath(file) else {
            throw refused(errno == ENOENT ? "File does not exist" : Self.text(errno))
        }
        var status = stat()
        // SAFETY: a local variable, filled by the call.
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refused("Is not a regular file")
        }
        let isAllowed = folders.contains { folder in
            let own = Self.realPath(folder) ?? folder
            return path.hasPrefix(own.hasSuffix("/") ? own : own + "/")
        }
        guard isAllowed else {
            let names = folders.map { $0.hasSuffix("/") ? $0 : $0 + "/" }.joined(separator: "; ")
            throw refused("Is not in any of the allowed kernel directories: [\(names)]")
        }
        return path
    }

    private static func text(_ number: Int32) -> String {
        // SAFETY: strerror's text is copied at once.
        unsafe String(cString: strerror(number))
    }

    /// Nil, with `errno` set, when there is no such file, or it cannot be looked at.
    private static func realPath(_ path: String) -> String? {
        // SAFETY: the result is a string of the call's own, or null.
        guard let found = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }
}
