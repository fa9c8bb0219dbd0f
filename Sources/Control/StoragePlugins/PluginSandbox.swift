import Foundation

/// What third-party programs are kept from, beyond the limits of time and output that all have. The programs of util-linux
/// (`unshare`, `prlimit`, `setpriv`) bring it about, one becoming the next: the run has one process id throughout, and where
/// one of them fails the program does not run. Servers that a program leaves behind stay inside.
public struct PluginSandbox: Sendable, Hashable {
    /// A mount and an IPC namespace of its own with an empty `/tmp`, no new privileges, and limits of memory, descriptors and
    /// core files.
    public var isOn: Bool
    /// Who SMAPIv3 plugins run as, without other groups and capabilities; nil: as the toolstack. SMAPIv1 drivers call the API
    /// over a socket that only root may open, with a session of the superuser's: another user would keep nothing from them.
    public var user: Identity?
    /// Bytes of address space.
    public var memory = 8 << 30
    public var descriptors = 1024
    /// Bytes of the private `/tmp`.
    public var temporary = 64 << 20

    public struct Identity: Sendable, Hashable {
        public let user: UInt32
        public let group: UInt32

        /// Nil when the system has no such user.
        public init?(name: String) {
            // SAFETY: the answer is read before anybody asks again; this is for a program's start.
            guard let entry = unsafe getpwnam(name) else { return nil }
            user = unsafe entry.pointee.pw_uid
            group = unsafe entry.pointee.pw_gid
        }

        init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    public init(isOn: Bool = false, user: Identity? = nil) {
        self.isOn = isOn
        self.user = user
    }

    /// The words that run `words`.
    /// - Parameter socket: the API's socket, which is to be where drivers look for it; nil: they do not call.
    func wrap(_ words: [String], socket: String?) -> [String] {
        var words = words
        var privileges: [String] = []
        if let user, socket == nil {
            privileges = [
                "--reuid", String(user.user), "--regid", String(user.group), "--clear-groups", "--inh-caps=-all",
                "--bounding-set=-all",
            ]
        }
        if isOn || !privileges.isEmpty {
            words = ["/usr/bin/setpriv", "--no-new-privs"] + privileges + ["--"] + words
        }
        if isOn {
            words =
                ["/usr/bin/prlimit", "--as=\(memory)", "--nofile=\(descriptors)", "--core=0", "--"] + words
        }
        let wantsSocket = socket.map { $0 != PluginSettings.expectedSocket } ?? false
        guard isOn || wantsSocket else { return words }
        var script = "set -e\n"
        if wantsSocket { script += Self.showSocket }
        if isOn { script += "mount -t tmpfs -o mode=1777,nosuid,nodev,size=\(temporary) tmpfs /tmp\n" }
        script += "exec \"$@\"\n"
        return
            ["/usr/bin/unshare", "--mount", "--propagation", "slave"] + (isOn ? ["--ipc"] : [])
            + ["--", "/bin/sh", "-c", script, wantsSocket ? socket ?? "" : "sh"] + words
    }

    /// Puts the socket where drivers look for it, for this process and its children only. What is mounted on the host
    /// later shows up here; what the driver mounts does not show up on the host. A link would not do: what it names may be
    /// out of sight.
    private static let showSocket = """
        if [ ! -S /var/lib/xcp/xapi ]; then
          mkdir -p /var/lib/xcp
          mount -t tmpfs -o mode=0755,size=64k tmpfs /var/lib/xcp
          : > /var/lib/xcp/xapi
        fi
        mount --bind "$0" /var/lib/xcp/xapi

        """
}
