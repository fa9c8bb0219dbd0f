import Glibc
import ImageCommands

/// Another program of the same folder.
enum Sibling {
    /// Becomes the program, with this one's words as they came. Returns an exit code only when it cannot.
    static func run(_ name: String) -> Int32 {
        let path = folder + "/" + name
        // The name that it tells users is this program's. SAFETY: the strings live until the process is another program.
        var words = unsafe (0..<Int(CommandLine.argc)).map { unsafe CommandLine.unsafeArgv[$0] }
        unsafe words.append(nil)
        unsafe execv(path, words)
        let cause = unsafe String(cString: strerror(errno))
        let text = CommandFailure(
            "cannot run \(path)", why: cause, advice: "installing \(name) in the folder of gantry"
        ).description
        // SAFETY: the string's own bytes.
        _ = unsafe write(STDERR_FILENO, text + "\n", text.utf8.count + 1)
        return CommandFailure.Status.failed
    }

    private static var folder: String {
        // SAFETY: the C string that the call allocates is copied and freed.
        guard let path = unsafe realpath("/proc/self/exe", nil) else { return "." }
        defer { unsafe free(path) }
        let text = unsafe String(cString: path)
        return String(text[..<(text.lastIndex(of: "/") ?? text.startIndex)])
    }
}
