/// What is known of a storage repository before anything is done there.
struct RepositoryFacts: Hashable, Sendable {
    /// Its opaque reference.
    var ref: String
    var uuid: String
    /// Unique within the endpoint: repositories of one name have their UUID behind it.
    var name: String
    var type: String
    /// `SR.allowed_operations`, as words.
    var operations: Set<String>
    /// The names in `SM.features` of its type.
    var features: Set<String>
    /// `SM.supported_image_formats` in lower case, in its order; nil where the endpoint does not say: then formats are
    /// left to it.
    var formats: [String]?
}

extension RepositoryFacts {
    /// With the UUID behind every name that is there more than once, in the order of the names.
    static func distinguished(_ repositories: [RepositoryFacts]) -> [RepositoryFacts] {
        let counts = Dictionary(grouping: repositories, by: \.name).mapValues(\.count)
        return repositories.map { facts in
            var named = facts
            if counts[facts.name] != 1 { named.name += " (\(facts.uuid))" }
            return named
        }.sorted { ($0.name, $0.uuid) < ($1.name, $1.uuid) }
    }
}

/// Which repositories take part. Each list that is not empty must be met; features and operations all of them.
struct RepositoryFilter: Hashable, Sendable {
    /// UUIDs or names.
    var names: [String] = []
    var types: [String] = []
    var features: [String] = []
    var operations: [String] = []
    /// Formats to test. A repository whose formats are known takes part if it has one of them.
    var formats: [String] = []

    func admits(_ facts: RepositoryFacts) -> Bool {
        let isNamed = names.isEmpty || names.contains { $0 == facts.uuid || $0 == facts.name }
        let hasType = types.isEmpty || types.contains(facts.type)
        let hasFormat = formats.isEmpty || facts.formats == nil || !formats(of: facts).isEmpty
        return isNamed && hasType && hasFormat && facts.features.isSuperset(of: features)
            && facts.operations.isSuperset(of: operations)
    }

    /// Names that no repository has.
    func unknownNames(among all: [RepositoryFacts]) -> [String] {
        names.filter { name in !all.contains { $0.uuid == name || $0.name == name } }
    }

    /// The formats in which the repository's disks are made; one nil where the endpoint does not say which there are.
    func formats(of facts: RepositoryFacts) -> [String?] {
        guard let known = facts.formats else { return [nil] }
        let wanted = Set(formats.map { $0.lowercased() })
        return known.filter { wanted.isEmpty || wanted.contains($0) }
    }
}
