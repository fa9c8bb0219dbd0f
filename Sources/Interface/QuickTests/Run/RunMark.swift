/// How the disks and VMs of a run are known. Only one that has both the key and the name is ours to remove, and disks of that name in the
/// drives of such a VM.
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
