import ArgumentParser

/// What was not UTF-8 on the command line has U+FFFD now, and would be another name.
func requireWholeWords() throws {
    guard !CommandLine.arguments.contains(where: { $0.unicodeScalars.contains("\u{FFFD}") }) else {
        throw ValidationError("an argument is not UTF-8 and would be taken for another name")
    }
}
