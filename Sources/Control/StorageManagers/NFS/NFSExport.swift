import StorageInterface

/// A folder that a server exports, as device_config names it, and how it is mounted. Nothing of it can become an option of
/// another kind for `mount`.
struct NFSExport: Equatable {
    static let keys: Set<String> = ["server", "serverpath", "options", "nfsversion"]
    let server: String
    let path: String
    /// For `mount -o`.
    let options: String

    init(_ configuration: [String: String], isReadOnly: Bool = false) throws(StorageError) {
        guard let server = configuration["server"], !server.isEmpty else {
            throw StorageError(.serverMissing, "The request is missing the server parameter: device-config:server")
        }
        guard let path = configuration["serverpath"], !path.isEmpty else {
            throw StorageError(
                .serverPathMissing, "The request is missing the serverpath parameter: device-config:serverpath")
        }
        try self.init(
            server: server, path: path, options: configuration["options"] ?? "",
            version: configuration["nfsversion"] ?? "", isReadOnly: isReadOnly)
    }

    init(server: String, path: String, options: String, version: String, isReadOnly: Bool) throws(StorageError) {
        // IPv6 addresses stand in brackets before the colon of the path.
        let address = server.contains(":") && !server.hasPrefix("[") ? "[\(server)]" : server
        guard Self.consists(address, of: ".-_:[]%"), !address.hasPrefix("-") else {
            throw StorageError(.invalidArgument, "'\(server)' is not the name or address of a server")
        }
        guard path.hasPrefix("/"), !path.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            throw StorageError(.invalidArgument, "device-config:serverpath must be an absolute path, not '\(path)'")
        }
        guard options.isEmpty || Self.consists(options, of: "=,._:/-") else {
            throw StorageError(.invalidArgument, "device-config:options holds what is no mount option: '\(options)'")
        }
        guard version.isEmpty || ["3", "4", "4.0", "4.1", "4.2"].contains(version) else {
            throw StorageError(
                .invalidArgument, "device-config:nfsversion is '\(version)'; 3, 4, 4.0, 4.1 and 4.2 can be mounted")
        }
        self.server = address
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        // A server that is gone ends requests with an error, after two minutes, as XenAPI's own driver has it: with a hard
        // mount all that ask would hang until it is back, the host's shutdown too. Nothing is lost unnoticed: a write that
        // fails so fails the guest's flush.
        // Directory entries are not cached: hosts see each other's images at once. What keeps this host safe comes last.
        var all = ["soft", "timeo=133", "retrans=3", "acdirmin=0", "acdirmax=0"]
        if !version.isEmpty { all.append("vers=" + version) }
        if !options.isEmpty { all.append(options) }
        all += ["nosuid", "nodev", "noexec"]
        if isReadOnly { all.append("ro") }
        self.options = all.joined(separator: ",")
    }

    /// What mounts name the export by, or a folder below it.
    func source(_ folder: String = "") -> String {
        "\(server):\(path == "/" && !folder.isEmpty ? "" : path)\(folder.isEmpty ? "" : "/" + folder)"
    }

    /// Mounts the export, or a folder below it.
    func mount(_ folder: String = "", at point: String, by program: String) throws(StorageError) {
        let source = source(folder)
        let outcome = try HostCommand.run(program, ["-t", "nfs", "-o", options, source, point], seconds: 120)
        guard outcome.status == 0 else {
            throw StorageError(
                .mount,
                "NFS mount error [opterr=\(source): mount ended with \(outcome.status): \(outcome.output.prefix(1000))]"
            )
        }
    }

    private static func consists(_ text: String, of marks: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                (97...122).contains(scalar.value) || (65...90).contains(scalar.value)
                    || (48...57).contains(scalar.value) || marks.unicodeScalars.contains(scalar)
            }
    }
}
