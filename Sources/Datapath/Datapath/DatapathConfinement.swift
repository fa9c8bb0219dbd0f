import BlockIO
import CLinux
public import DatapathControl
import Foundation

/// What a data path gives up before it opens the first image: images are hostile.
public enum DatapathConfinement {
    /// A chain has a descriptor for each image, a client has one each.
    private static let descriptors: UInt64 = 4096
    /// Bytes of private memory, most of which is address space that is never touched: 128 clients with two buffers of 33 MiB and
    /// three threads' stacks of 8 MiB each are 11 GiB, and 5 GiB are for the images: the tables of 30 in a chain take 130 MiB each
    /// at most, the bitmaps of one that is written 220 MiB (64 MiB of bits, what they have in common, 64 MiB of directory). Who
    /// wants more is out of hand, and ends instead of the host.
    static let memory: UInt64 = 16 << 30

    /// Whether the kernel has what `keepFiles` needs (Landlock).
    public static var canKeepFiles: Bool { ProcessConfinement.canKeepFiles }

    /// From here on the process opens the images, what is below them, their log of changes, its SR's marker, what lies in
    /// `folders`, which are its own, and what the system's libraries read; nothing else of the file system, whoever asks. What
    /// it needs later is handed over open. Before there are threads. What goes wrong with a file is told by who opens it, too.
    /// `images` empty: they are open already, and nothing of them is to be opened by its name. Whether it is so.
    @discardableResult
    public static func keepFiles(of images: [ImageSpecification], folders: [String]) -> Bool {
        let own = folders.map { ProcessConfinement.Rule($0, .make) }
        // Paths in folders to which others may write.
        let images = images.flatMap(\.files).map { file in
            ProcessConfinement.Rule(
                file.path, file.isWritable ? .write : .read, isImage: true, followsLinks: file.followsLinks)
        }
        let (isConfined, lacks) = ProcessConfinement.keepFiles(own + images)
        complain(lacks)
        return isConfined
    }

    static func complain(_ what: String, _ status: Int32) {
        complain([ProcessConfinement.Lack(what: what, errno: -status)])
    }

    private static func complain(_ lacks: [ProcessConfinement.Lack]) {
        for lack in lacks {
            let reason = unsafe String(cString: strerror(lack.errno))
            FileHandle.standardError.write(Data("gantry-datapath: not \(lack.what): \(reason)\n".utf8))
        }
    }

    /// Where the kernel cannot, the process goes on without and says so once. `network`: it makes sockets.
    public static func apply(network: Bool = true) {
        let limited = gantry_limit_process(0, 0, 0, descriptors)
        if limited < 0 { complain("limited", limited) }
        let limitedInMemory = limitMemory()
        if limitedInMemory < 0 { complain("limited in memory", limitedInMemory) }
        complain(ProcessConfinement.giveUpCalls(network: network))
    }

    /// 0, or a negative error number.
    private static func limitMemory() -> Int32 {
        // The sanitizers map more than any limit lets them.
        if gantry_is_sanitized() { return 0 }
        let resource = __rlimit_resource_t(RLIMIT_DATA.rawValue)
        var limit = rlimit()
        // SAFETY: the structure lives for the calls.
        guard unsafe getrlimit(resource, &limit) == 0 else { return -errno }
        limit.rlim_max = min(limit.rlim_max, rlim_t(memory))
        limit.rlim_cur = min(limit.rlim_cur, limit.rlim_max)
        return unsafe setrlimit(resource, &limit) == 0 ? 0 : -errno
    }
}
