import RPCCodec
import XenAPIClient

/// A move that stands in the midst of a snapshot's copy, for something to happen to it then.
extension RunningToolstack {
    /// What is wanted of the move of a task, while it runs.
    func wish(_ name: String, _ value: String, of task: String) async throws {
        try await call("task.remove_from_other_config", .string(task), .string(name))
        try await call("task.add_to_other_config", .string(task), .string(name), .string(value))
    }

    /// Returns when a part of the snapshot is there, another part is not, and the process that copies it stands. The move was begun with
    /// so low a rate that the copy takes some seconds; whoever takes the wish to pause back takes back that one, too.
    func holdCopy(of task: String) async throws {
        try await awaitEntries(of: task) {
            $0.member("phase")?.text == "snapshots" && $0.member("bytes_copied")?.text.flatMap { Int($0) } ?? 0 > 0
        }
        try await wish("paused", "true", of: task)
        try await awaitEntries(of: task) { $0.member("mirror_paused")?.text == "true" }
        let found = try processes("gantry-datapath", doing: "copy")
        if found.count != 1 { throw Failure(description: "the processes that copy: \(found)") }
    }

    /// Returns when the task, which must not have ended, says so in its `other_config`.
    func awaitEntries(of task: String, _ isSo: (WireValue) -> Bool) async throws {
        while true {
            let entries = try await call("task.get_other_config", .string(task))
            if isSo(entries) { return }
            let status = try await text("task.get_status", .string(task))
            if status != "pending" { throw Failure(description: "the move has ended, \(status), and said \(entries)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
