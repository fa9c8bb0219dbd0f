/// Where a disk is, and its format; nil: the repository's own choice.
struct Place: Hashable, Sendable, CustomStringConvertible {
    var repository: RepositoryFacts
    var format: String?

    var description: String { repository.name + (format.map { "/" + $0 } ?? "") }
}

/// One direction of a move.
struct MigrationPath: Hashable, Sendable, CustomStringConvertible {
    var source: Place
    /// Without a format the destination chooses.
    var destination: Place
    /// The destination is in another pool.
    var leavesPool = false

    var description: String { "\(source) -> \(leavesPool ? "other pool: " : "")\(destination)" }

    /// Every direction between the repositories that `filter` admits: each of their formats to each, and to what the
    /// destination chooses. Within one repository only to another format: all else would be no move.
    static func all(among repositories: [RepositoryFacts], _ filter: RepositoryFilter) -> [MigrationPath] {
        let admitted = repositories.filter(filter.admits)
        return admitted.flatMap { from in
            filter.formats(of: from).flatMap { format in
                admitted.flatMap { to in
                    destinations(to, filter)
                        .filter { to.ref != from.ref || ($0 != nil && $0 != format) }
                        .map {
                            MigrationPath(
                                source: Place(repository: from, format: format),
                                destination: Place(repository: to, format: $0))
                        }
                }
            }
        }
    }

    /// Every direction to another pool: each format of each repository here to each there, and to what the destination chooses.
    static func all(
        from repositories: [RepositoryFacts], _ filter: RepositoryFilter, to other: OtherPool
    ) -> [MigrationPath] {
        repositories.filter(filter.admits).flatMap { from in
            filter.formats(of: from).flatMap { format in
                other.usable.flatMap { to in
                    destinations(to, other.filter).map {
                        MigrationPath(
                            source: Place(repository: from, format: format),
                            destination: Place(repository: to, format: $0), leavesPool: true)
                    }
                }
            }
        }
    }

    private static func destinations(_ facts: RepositoryFacts, _ filter: RepositoryFilter) -> [String?] {
        facts.formats == nil ? [nil] : filter.formats(of: facts) + [nil]
    }
}

/// What is known of the repositories of another pool, and which of them take part.
struct OtherPool: Hashable, Sendable {
    var repositories: [RepositoryFacts]
    var filter: RepositoryFilter

    /// Those in which disks can be made.
    var usable: [RepositoryFacts] { repositories.filter { filter.admits($0) && $0.operations.contains("vdi_create") } }
}
