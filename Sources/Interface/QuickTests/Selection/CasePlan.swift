/// Which cases there are for the repositories of an endpoint, and which of them run. Nothing is asked of the endpoint.
enum CasePlan {
    /// The names of the cases whose skipping stands for all others of a repository, or for all moves.
    static let repositoryCase = "repository"
    static let migrationCase = "VDI.pool_migrate"
    static let machineMoveCase = "VM.migrate_send"

    /// In the order in which they run; those to another pool last. `pattern`: a regular expression that a case's name must contain. Throws when it is
    /// none.
    static func make(
        _ repositories: [RepositoryFacts], filter: RepositoryFilter, matching pattern: String? = nil,
        other: OtherPool? = nil
    ) throws -> [PlannedCase] {
        let admitted = repositories.filter(filter.admits)
        var plan: [PlannedCase] = []
        for facts in admitted {
            if let missing = Need(thing: .operation("vdi_create"), repository: facts).missing {
                plan.append(PlannedCase("\(repositoryCase) [\(facts.name)]", skip: missing))
                continue
            }
            plan += APICases.all(on: facts).map { PlannedCase($0) }
            for format in filter.formats(of: facts) {
                let place = Place(repository: facts, format: format)
                plan += (DiskCases.all(at: place) + TransferCases.all(at: place)).map { PlannedCase($0) }
            }
        }
        let usable = admitted.filter { $0.operations.contains("vdi_create") }
        let paths = MigrationPath.all(among: usable, filter)
        plan += paths.map { PlannedCase(MigrationCases.move(along: $0)) }
        plan += paths.map { PlannedCase(MachineMoveCases.move(along: $0)) }
        if paths.isEmpty {
            let reason = "there are no two repositories, and no two formats of one, between which a disk could move"
            plan += [migrationCase, machineMoveCase].map { PlannedCase($0, skip: reason) }
        }
        if let other {
            let away = MigrationPath.all(from: usable, filter, to: other)
            plan += away.map { PlannedCase(PoolMoveCases.move(along: $0)) }
            // One for each source: what a copy leaves has nothing to do with formats there.
            plan += away.filter { $0.destination.format == nil }.map { PlannedCase(PoolMoveCases.copy(along: $0)) }
            if away.isEmpty {
                let reason = "there is no repository here and none in the other pool between which a disk could move"
                plan.append(PlannedCase("\(machineMoveCase) to another pool", skip: reason))
            }
        }
        guard let pattern else { return plan }
        let expression = try Regex(pattern)
        return plan.filter { $0.test.name.contains(expression) }
    }
}
