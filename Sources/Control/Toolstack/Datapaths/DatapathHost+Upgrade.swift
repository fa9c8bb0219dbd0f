import DatapathControl
import Foundation
import Glibc

extension DatapathHost {
    /// Ids of the processes that run another program than the one that would be started now: it was replaced since.
    /// None when that one could not be started before, or did not answer, and no process of it runs: others keep what they have.
    var outdatedIDs: [String] {
        guard let present = Self.identity(of: program) else { return [] }
        let live = liveProcesses
        let outdated = live.filter { process in
            guard let running = Self.identity(of: "/proc/\(process.pid)/exe") else { return false }
            return running != present
        }.map(\.id)
        return refused == present && outdated.count == live.count ? [] : outdated
    }

    /// Device, inode, and when it was written: a package manager may take the number of the file that it replaces.
    private static func identity(of path: String) -> [Int]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return [Int(status.st_dev), Int(status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    /// The present program may be tried again.
    func forgetRefusal() { refused = nil }

    /// Puts a process of the present program in the place of the running one, on the same sockets. What is answered by then
    /// is durable; clients connect again and repeat the rest; a mirror goes on when whoever began it asks for that.
    ///
    /// The program is tried first, once, on an image of nobody's: one that does not start or does not answer leaves the running
    /// process alone, and this throws `DatapathProbe.Refusal`.
    func replace(_ id: String, image: ImageSpecification) async throws {
        let present = Self.identity(of: program)
        // One that runs has shown what it can.
        let isProved =
            present != nil
            && (proved == present || liveProcesses.contains { Self.identity(of: "/proc/\($0.pid)/exe") == present })
        if !isProved {
            do {
                try await DatapathProbe(program: program, folder: probeFolder).run()
            } catch {
                refused = present
                throw error
            }
            proved = present
        }
        await stop(id, forGood: false)
        do {
            _ = try await start(id, image: image)
        } catch {
            refused = present
            throw error
        }
    }
}
