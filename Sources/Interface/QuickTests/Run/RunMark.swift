/// How the disks of a run are known. Only a disk that has both the key and the name is one of ours to remove.
struct RunMark: Hashable, Sendable {
    /// The key in `VDI.other_config`; its value is the run.
    static let key = "quicktest-run"
    static let name = "quicktest: may be removed"

    let run: String

    /// Whether a disk was made by this run; by any run where `run` is empty.
    func covers(name: String, otherConfig: [String: String]) -> Bool {
        guard name == Self.name, let value = otherConfig[Self.key] else { return false }
        return run.isEmpty || value == run
    }
}
