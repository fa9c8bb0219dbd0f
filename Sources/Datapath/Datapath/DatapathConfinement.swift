import CLinux
import Foundation

/// What a process that serves images gives up before it opens the first: images are hostile, and whoever took the process
/// over through one should find little to do with it.
public enum DatapathConfinement {
    /// A chain has a descriptor for each image, a client has one each.
    private static let descriptors: UInt64 = 4096

    /// Where the kernel cannot, the process goes on without and says so once.
    public static func apply() {
        let limited = gantry_limit_process(0, 0, 0, descriptors)
        let confined = gantry_confine_process()
        for (what, status) in [("limited", limited), ("confined", confined)] where status < 0 {
            let reason = unsafe String(cString: strerror(-status))
            FileHandle.standardError.write(Data("gantry-datapath: not \(what): \(reason)\n".utf8))
        }
    }
}
