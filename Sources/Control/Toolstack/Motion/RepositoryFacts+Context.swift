import APITypes
import PoolDatabase
import StorageInterface
import StorageMotion

/// What the rules of moves ask about an SR.
extension StorageContext {
    /// - Parameter free: bytes; nil: it is not known.
    func facts(_ attached: AttachedRepository, free: UInt64?) -> RepositoryFacts {
        RepositoryFacts(
            uuid: attached.uuid, manager: attached.manager, configuration: attached.repository.deviceConfig,
            smConfig: attached.repository.smConfig, free: free, promised: promised(attached.manager))
    }

    /// Asks the driver. Throws its error.
    func factsWithSpace(_ attached: AttachedRepository) async throws -> RepositoryFacts {
        do {
            let space = try await attached.manager.space(attached.repository)
            // A driver that does not say how large its storage is promises nothing.
            let isUnknown = space.total == 0 && attached.manager.info.writesRows
            return facts(attached, free: isUnknown ? nil : space.free)
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
    }

    /// Bytes of content that a disk is taken to have at least (`LeastRoom`): that of the largest image of its chain; how much the others add is seen when
    /// it is read.
    func leastContent(of chain: [Volume], size: UInt64, in attached: AttachedRepository) -> UInt64 {
        let facts = facts(attached, free: nil)
        let largest = chain.map { volume in
            LeastRoom.content(of: volume.physicalSize, format: volume.format, isThin: facts.showsContent(volume.format))
        }.max()
        return min(largest ?? 0, size)
    }
}
