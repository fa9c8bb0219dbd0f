/// Refuses `-`, which other tools read as standard input or output.
func refuseStream(_ path: String, _ role: String) throws(CommandFailure) {
    if path == "-" {
        throw .notBuilt(
            "\(role) as a stream (`-`)",
            advice: "a file; a folder of that name can be reached as ./-")
    }
}
