public import ArgumentParser
import TerminalUI

/// The words that the process was started with.
extension ProgramRun {
    /// As `run`, on the words of this process. One that is not UTF-8 is refused: as text it would be another name, and
    /// perhaps that of another file.
    public static func run(_ root: any ParsableCommand.Type, confines: Bool = false) -> Int32 {
        let words = Array(CommandLine.arguments.dropFirst())
        guard let odd = oddWord else { return run(root, words, confines: confines) }
        let failure = CommandFailure(
            "cannot read word \(odd) of the command line (about “\(CommandLine.arguments[odd])”)",
            why: "it is not UTF-8, and what it names cannot be told from other names",
            advice: "a link to the file under another name, or renaming it")
        TerminalOutput.standardError.write(failure.description + "\n")
        return wrongUsage(of: root, words)
    }

    /// Which word is not UTF-8; the program's name does not matter.
    public static var oddWord: Int? {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            // SAFETY: the process's own C strings, which nobody changes.
            guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
            if unsafe String(validatingCString: word) == nil { return index }
        }
        return nil
    }
}
