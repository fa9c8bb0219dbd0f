import XenAPIClient

extension RepositoryFacts {
    /// The repositories of an endpoint.
    static func read(from session: XenAPISession) async throws -> [RepositoryFacts] {
        let managers = try await session.sm.getAllRecords().values
        let repositories = try await session.sr.getAllRecords()
        return distinguished(
            repositories.map { ref, record in
                let manager = managers.first { $0.type == record.type }
                let formats = manager?.supportedImageFormats?.map { $0.word.lowercased() } ?? []
                return RepositoryFacts(
                    ref: ref.opaque, uuid: record.uuid, name: record.nameLabel, type: record.type,
                    operations: Set(record.allowedOperations.map(\.word)),
                    features: Set((manager?.features ?? [:]).keys), formats: formats.isEmpty ? nil : formats)
            })
    }
}
