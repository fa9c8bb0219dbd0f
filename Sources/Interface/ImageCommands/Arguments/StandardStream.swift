/// Refuses `-`, which other tools read as standard input or output, where only a file will do.
func refuseStream(_ path: String, _ role: String) throws(CommandFailure) {
    if path == "-" {
        throw CommandFailure(
            "\(role) cannot be a stream (-)", why: "this command must read or write anywhere in the image",
            advice: "a file; a file of that name can be reached as ./-", status: CommandFailure.Status.usage)
    }
}
