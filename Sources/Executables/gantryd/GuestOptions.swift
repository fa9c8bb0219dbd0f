import ArgumentParser

/// How guests run, and what they may boot from.
struct GuestOptions: ParsableArguments {
    @Option(help: "How guests run: auto, kvm or tcg.") var accel = "auto"
    @Option(
        help:
            "Folder of kernels and RAM disks that guests may boot from besides /var/lib/xcp/guest; may be given again.")
    var bootDir: [String] = []

    func validate() throws {
        guard ["auto", "kvm", "tcg"].contains(accel) else { throw ValidationError("--accel is auto, kvm or tcg") }
        guard bootDir.allSatisfy({ $0.hasPrefix("/") }) else {
            throw ValidationError("--boot-dir takes absolute paths")
        }
    }
}
