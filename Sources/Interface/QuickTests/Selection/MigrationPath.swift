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

    var description: String { "\(source) -> \(destination)" }

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

    private static func destinations(_ facts: RepositoryFacts, _ filter: RepositoryFilter) -> [String?] {
        facts.formats == nil ? [nil] : filter.formats(of: facts) + [nil]
    }
}
