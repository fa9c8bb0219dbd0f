import APITypes

/// What the hosts of a pool can do together with one type of storage, so that a half-upgraded pool never promises what
/// one host lacks. A pure value. Source: the reference's rule for SM.features; ours applies it to the formats, too.
struct ManagerFeatures: Hashable, Sendable {
    /// What every host can do: name → version.
    var offered: [String: Int64] = [:]
    /// Per host, what it can do and others have not said yet.
    var pending: [String: [String: Int64]] = [:]
    /// Per host, the image formats that it declared.
    var formats: [String: Set<String>] = [:]
    /// The formats that every host has. Empty: see `lackOfFormats`.
    var offeredFormats: Set<String> = []

    /// A host says, at its start, what its driver can do. What it lacks is gone at once; what it can do beyond that
    /// waits until the last of `hosts` has said it, at the least of their versions. A higher version is no lack of a lower.
    /// The same holds for formats, which have no versions; the first that are declared count at once, until another host lacks
    /// them.
    mutating func report(
        _ features: [String: Int64], formats declared: Set<String>, from host: String, hosts: Set<String>
    ) {
        offered = offered.filter { entry in features[entry.key].map { $0 >= entry.value } ?? false }
        pending = pending.filter { hosts.contains($0.key) }
        pending[host] = features.filter { offered[$0.key] != $0.value }
        if Set(pending.keys) == hosts {
            let valid = common()
            for host in Array(pending.keys) {
                pending[host] = pending[host]?.filter { valid[$0.key] != $0.value }
            }
            offered.merge(valid) { _, new in new }
            if pending.values.allSatisfy(\.isEmpty) { pending = [:] }
        }
        formats = formats.filter { hosts.contains($0.key) }
        // Where nothing was ever declared, the silence of the others is no lack.
        let isFirst = offeredFormats.isEmpty && formats.values.allSatisfy(\.isEmpty)
        formats[host] = declared
        let shared = formats.values.reduce(declared) { $0.intersection($1) }
        offeredFormats = isFirst || Set(formats.keys) == hosts ? shared : offeredFormats.intersection(shared)
    }

    /// Why there is no format to choose from although a driver declares some: what each host declares, as `name` calls it.
    /// Nil: there is one, or no driver declares any, and drivers decide.
    func lackOfFormats(among hosts: Set<String>, name: (String) -> String) -> String? {
        guard offeredFormats.isEmpty, formats.values.contains(where: { !$0.isEmpty }) else { return nil }
        return hosts.map { host in
            let declared = formats[host].map { $0.isEmpty ? "none declared" : $0.sorted().joined(separator: ", ") }
            return "host \(name(host)): \(declared ?? "not started since")"
        }.sorted().joined(separator: "; ")
    }

    private func common() -> [String: Int64] {
        guard let first = pending.values.first else { return [:] }
        return pending.values.dropFirst().reduce(first) { common, next in
            common.reduce(into: [:]) { result, entry in
                if let other = next[entry.key] { result[entry.key] = min(entry.value, other) }
            }
        }
    }
}

extension ManagerFeatures {
    /// `NAME/version`, as SM.host_pending_features has them.
    static func text(_ features: [String: Int64]) -> [String] {
        features.map { "\($0.key)/\($0.value)" }.sorted()
    }

    static func features(_ texts: [String]) -> [String: Int64] {
        var features: [String: Int64] = [:]
        for text in texts {
            let parts = text.split(separator: "/", maxSplits: 1)
            guard let name = parts.first else { continue }
            features[String(name)] = parts.count > 1 ? Int64(parts[1]).map { max(1, $0) } ?? 1 : 1
        }
        return features
    }
}
