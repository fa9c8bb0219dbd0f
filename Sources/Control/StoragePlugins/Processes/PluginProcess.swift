import CLinux
import Foundation

/// Runs a third-party program to its end, in a process group of its own, with a thread of ours beside it. Whatever the
/// program does (hang, crash, flood, leave children that hold its output open), the run ends within its limits and
/// nothing of it stays but what the program itself put into a session of its own: servers that drivers start.
enum PluginProcess {
    static func run(_ command: PluginCommand, limits: PluginLimits) async -> PluginOutcome {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                unsafe gantry_name_thread("plugin")
                continuation.resume(returning: runBlocking(command, limits: limits))
            }
        }
    }

    static func runBlocking(_ command: PluginCommand, limits: PluginLimits) -> PluginOutcome {
        guard let output = Ends(), let errors = Ends(), let input = Ends() else {
            return PluginOutcome(ending: .notStarted(EMFILE), output: [], errors: [])
        }
        let pid = spawn(command, input.read, output.write, errors.write)
        // Ours are the other ends; with the child's closed here, its end is the end of its output.
        input.closeRead()
        output.closeWrite()
        errors.closeWrite()
        guard pid > 0 else { return PluginOutcome(ending: .notStarted(-pid), output: [], errors: []) }
        var conversation = PluginConversation(
            pid: pid, input: input, output: output, errors: errors, sending: command.input, limits: limits)
        if let folder = command.records {
            do {
                conversation.record = try PluginRecord.make(pid, in: folder)
            } catch {
                // Nobody could find it after our end: it must not begin.
                return conversation.abandon(because: error.error)
            }
        }
        return conversation.follow()
    }

    private static func spawn(_ command: PluginCommand, _ input: Int32, _ output: Int32, _ errors: Int32) -> Int32 {
        let words = [command.program] + command.arguments
        // A NUL would cut a word short: the program would be told something else than was meant.
        guard !words.contains(where: { $0.utf8.contains(0) }) else { return -EINVAL }
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        let settings = command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var environment: [UnsafeMutablePointer<CChar>?] = unsafe settings.map { unsafe strdup($0) } + [nil]
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe environment.forEach { unsafe free($0) }
        }
        // SAFETY: both arrays end with nil and live until the call returns; the child has its own copy then.
        return unsafe gantry_spawn(command.program, &arguments, &environment, input, output, errors, true)
    }
}

/// Both ends of a pipe; what is open is closed with it.
final class Ends {
    private(set) var read: Int32 = -1
    private(set) var write: Int32 = -1

    init?() {
        // SAFETY: the call fills the two integers.
        guard unsafe gantry_pipe(&read, &write) == 0 else { return nil }
    }

    deinit {
        closeRead()
        closeWrite()
    }

    func closeRead() {
        if read >= 0 { close(read) }
        read = -1
    }

    func closeWrite() {
        if write >= 0 { close(write) }
        write = -1
    }
}
