import BlockIO
import CLinux
public import DatapathControl
import Foundation
import NBDTransport

/// Who a process that serves images is while it does: not the one that started it. As root it opens what it was started for,
/// then leaves behind the file system, the network, every capability and its user. What it needs later is handed over open.
public enum DatapathIsolation {
    /// Processes and threads of its user, which is its own: a hundred clients with their helpers, a mirror, the control
    /// connections, and as much again.
    private static let threads: UInt64 = 4096

    /// What was opened for the service that follows.
    public struct Prepared: Sendable {
        public let nbdListener: Int32
        public let controlListener: Int32
        /// Path of the mirror's map as this process sees it now.
        public let mirrorMap: String?
        /// What the kernel, or who started us, does not permit, and is done without: `root`, `namespaces`, `files`, `user`.
        public let without: [String]
        fileprivate let opened: [(path: String, descriptor: Int32)]

        /// The service has opened what it needs.
        public func release() {
            Dialers.removeAll()
            for file in opened {
                HandedFiles.remove(file.path, file.descriptor)
                close(file.descriptor)
            }
        }
    }

    /// Before there are threads, and before anything of an image is read. `folder`: the process's own, where the mirror's map is
    /// kept, and the only one that it may make files in. Throws when a socket or the crash mark cannot be made.
    public static func enter(
        _ image: ImageSpecification, user: UInt32, folder: String, nbdSocket: String, controlSocket: String,
        crashMark: String?, mirrorMap: String?
    ) throws -> Prepared {
        let nbd = try listen(nbdSocket)
        let control = try listen(controlSocket)
        var opened = openFiles(of: [image])
        if let crashMark {
            // SAFETY: Swift's own temporary C string.
            let mark = unsafe open(crashMark, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard mark >= 0 else { throw BlockError(call: "open", errno: errno, path: crashMark) }
            opened.append((path: crashMark, descriptor: mark))
        }
        for file in opened { HandedFiles.add(file.path, file.descriptor) }
        // By this same program, in a process of its own.
        if let server = image.server { Dialers.add(server.name, try image.dial(with: "/proc/self/exe")) }
        let (own, without) = leave(for: folder, [image], user: user, threads: threads)
        return Prepared(
            nbdListener: nbd, controlListener: control,
            mirrorMap: mirrorMap.map { (own ?? folder) + "/" + ($0 as NSString).lastPathComponent }, without: without,
            opened: opened)
    }

    /// As that for a process that serves no image: it keeps what it has open, and `folder`, which is its own. Returns what it
    /// does without.
    static func enter(folder: String, user: UInt32, threads: UInt64) -> [String] {
        leave(for: folder, [], user: user, threads: threads).without
    }

    /// As that for a process that reads and writes `images`, as their `readOnly` says, for once, and has no folder. What it opens
    /// later it finds among what was opened here, which stays open until it ends.
    static func enter(_ images: [ImageSpecification], user: UInt32, threads: UInt64) throws {
        for file in openFiles(of: images) { HandedFiles.add(file.path, file.descriptor) }
        for image in images {
            if let server = image.server { Dialers.add(server.name, try image.dial(with: "/proc/self/exe")) }
        }
        _ = leave(for: nil, images, user: user, threads: threads)
    }

    /// Returns `folder` as this process sees it from here on, too. `images`: what it has to open by their names where it stays in
    /// the system's file system.
    private static func leave(
        for folder: String?, _ images: [ImageSpecification], user: UInt32, threads: UInt64
    ) -> (own: String?, without: [String]) {
        var without: [String] = []
        func note(_ part: String, _ text: String, _ status: Int32) -> Bool {
            if status < 0 {
                DatapathConfinement.complain(text, status)
                without.append(part)
            }
            return status >= 0
        }
        let isAlone = gantry_is_single_threaded()
        // SAFETY: Swift's own temporary C strings.
        let given = folder.map { unsafe gantry_give_folder($0, user) } ?? 0
        _ = note("namespaces", "in namespaces of its own", isAlone ? gantry_own_namespaces() : -EBUSY)
        let hasRoot = note(
            "root", "in a file system of its own", isAlone ? unsafe gantry_own_root(folder) : -EBUSY)
        if hasRoot { HandedFiles.seal() }
        let own = folder.map { hasRoot ? "/own" : $0 }
        if !DatapathConfinement.keepFiles(of: hasRoot ? [] : images, folders: own.map { [$0] } ?? []) {
            without.append("files")
        }
        // Without its folder it would lose the mirror's map. In the system's file system the folders above it may be closed to it.
        let mayReach = given < 0 ? given : hasRoot ? 0 : own.map { reach($0, as: user) } ?? 0
        let become = !isAlone ? -EBUSY : mayReach < 0 ? mayReach : gantry_become_user(user, threads)
        _ = note("user", "a user of its own", become)
        return (own, without)
    }

    /// 0 when that user reads, writes and searches `folder`, else -errno. Before there are threads.
    private static func reach(_ folder: String, as user: UInt32) -> Int32 {
        guard seteuid(user) == 0 else { return -errno }
        // SAFETY: Swift's own temporary C string.
        let status = unsafe faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ? 0 : -errno
        return seteuid(0) == 0 ? status : -errno
    }

    /// Enters, serves the image until it is told to quit, and says on standard output when it begins to.
    public static func serve(
        _ image: ImageSpecification, user: UInt32, folder: String, nbdSocket: String, controlSocket: String,
        crashMark: String?, mirrorMap: String?
    ) throws {
        let prepared = try enter(
            image, user: user, folder: folder, nbdSocket: nbdSocket, controlSocket: controlSocket,
            crashMark: crashMark, mirrorMap: mirrorMap)
        DatapathConfinement.apply()
        let service = try DatapathService(image: image, prepared: prepared, crashMark: crashMark)
        try service.announce(DatapathReady(without: prepared.without))
        try service.run()
    }

    private static func listen(_ path: String) throws(BlockError) -> Int32 {
        // SAFETY: Swift's own temporary C string.
        let descriptor = unsafe gantry_unix_listen(path, 64)
        guard descriptor >= 0 else { throw BlockError(call: "listen", errno: -descriptor, path: path) }
        return descriptor
    }

    private static func openFiles(of images: [ImageSpecification]) -> [(path: String, descriptor: Int32)] {
        var opened: [(path: String, descriptor: Int32)] = []
        for file in images.flatMap(\.files) {
            let descriptor = file.open()
            if descriptor < 0 {
                HandedFiles.addFailure(file.path, -descriptor)
            } else {
                opened.append((path: file.path, descriptor: descriptor))
            }
        }
        return opened
    }
}
