import Glibc

/// A host that has no descriptors or memory left for the moment. What cannot be opened then is not what is not there.
public enum Shortage {
    static let pause = Duration.milliseconds(200)
    static let mostPauses = 150

    /// Returns when what is at `path` can be opened, or is not there, or not for us. Nothing is decided before: what cannot be looked
    /// at may live.
    public static func awaitEnd(at path: String) async {
        while keeps(path) { try? await Task.sleep(for: pause) }
    }

    static func keeps(_ path: String) -> Bool {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0 { return [EMFILE, ENFILE, ENOMEM].contains(errno) }
        close(file)
        return false
    }
}
