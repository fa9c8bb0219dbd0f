// A complete SMAPIv3 volume plugin in Swift: an SR is a folder, a volume a file of the disk's content in it. Link each
// method to this program, for instance `Volume.create`; it is run as `<method> --json` with the named arguments as JSON
// on standard input. Volumes are reached by URIs `plainfile://PATH`: a datapath of this name hands the files out.
import Foundation

/// The answer, or an error object and another exit status.
func main() -> Int32 {
    let method = URL(fileURLWithPath: CommandLine.arguments[0]).lastPathComponent
    var answer: Any
    var status: Int32 = 0
    do {
        guard let body = methods()[method.lowercased()] else { throw Refusal("Unimplemented", method) }
        answer = try body(try Arguments(FileHandle.standardInput.readDataToEndOfFile()))
    } catch {
        let refusal = error as? Refusal ?? Refusal("SR_BACKEND_FAILURE_202", "", "\(error)", "")
        answer = ["code": refusal.code, "params": refusal.parameters, "backtrace": [String: String]()] as [String: Any]
        status = 1
    }
    let text = (try? JSONSerialization.data(withJSONObject: answer, options: .fragmentsAllowed)) ?? Data()
    FileHandle.standardOutput.write(text)
    return status
}

exit(main())
