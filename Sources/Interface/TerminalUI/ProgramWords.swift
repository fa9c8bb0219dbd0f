// SAFETY: argv and its strings are the process's own and live as long as it does.

/// The words of the command line as the kernel has them.
public enum ProgramWords {
    /// Why the process's words are not understood; nil when they are. One that is not UTF-8 would be taken for another: Swift
    /// puts U+FFFD in, and two names of files could become one.
    public static var problem: String? {
        let count = Int(CommandLine.argc)
        var words: [[UInt8]] = []
        for index in 0..<max(0, count) {
            guard let word = unsafe CommandLine.unsafeArgv[index] else { break }
            var bytes: [UInt8] = []
            var next = unsafe word
            while unsafe next.pointee != 0 {
                bytes.append(UInt8(bitPattern: unsafe next.pointee))
                unsafe next += 1
            }
            words.append(bytes)
        }
        return problem(with: Array(words.dropFirst()))
    }

    /// The same of words without the program's name.
    static func problem(with words: [[UInt8]]) -> String? {
        for word in words where String(validating: word, as: UTF8.self) == nil {
            return "the argument “\(shown(word))” is not UTF-8 and would be taken for another name"
        }
        return nil
    }

    /// Bytes that are not ASCII as `\xNN`: all of them, because nobody knows which of them belong together.
    private static func shown(_ word: [UInt8]) -> String {
        word.map { byte in
            if (0x20...0x7E).contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "\\x" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}
