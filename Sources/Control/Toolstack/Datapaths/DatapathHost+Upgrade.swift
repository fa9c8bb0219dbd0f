import DatapathControl
import Foundation
import Glibc

extension DatapathHost {
    /// Ids of the processes that run another program than the one that would be started now: it was replaced since.
    var outdatedIDs: [String] {
        guard let present = Self.identity(of: program) else { return [] }
        return liveProcesses.filter { process in
            guard let running = Self.identity(of: "/proc/\(process.pid)/exe") else { return false }
            return running != present
        }.map(\.id)
    }

    /// Device, inode, and when it was written: a package manager may take the number of the file that it replaces.
    private static func identity(of path: String) -> [Int]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return [Int(status.st_dev), Int(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    /// Puts a process of the present program in the place of the running one, on the same sockets. What is answered by then
    /// is durable; clients connect again and repeat the rest; a mirror goes on when whoever began it asks for that.
    func replace(_ id: String, image: ImageSpecification) async throws {
        await stop(id, forGood: false)
        _ = try await start(id, image: image)
    }
}
