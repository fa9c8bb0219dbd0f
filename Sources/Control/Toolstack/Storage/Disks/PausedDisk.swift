import APITypes
import DatapathControl
import Logging
import PoolDatabase

/// Work on the image of a disk that may be in use: its data path, if it has one, holds its requests, flushed and with
/// nothing open, and goes on with the image that the driver names afterwards.
///
/// Whoever dies meanwhile, nothing is lost: the data path has nothing that is not durable, and comes back, or is told by
/// the next toolstack to go on, with the image that the driver names then.
struct PausedDisk: Sendable {
    /// The VDIs that the present task has so: drivers that it calls may be told that they are.
    @TaskLocal static var held: Set<String> = []

    let context: StorageContext

    /// Runs `body` while nobody has the image of `vdi` open. The caller has been admitted, so that no other operation
    /// begins on it.
    func working<T: Sendable>(on vdi: Row, _ body: () async throws -> T) async throws -> T {
        let uuid = vdi[VDI.uuid]
        let handle: DatapathHandle?
        do {
            handle = try await context.disks.hold(uuid)
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: vdi[VDI.sr], vdi: vdi.typedRef(VDI.self))
        }
        let result: Result<T, any Error>
        do {
            let isPaused = try await pause(handle, vdi)
            do {
                result = .success(try await Self.$held.withValue(Self.held.union([uuid])) { try await body() })
            } catch {
                result = .failure(error)
            }
            FailurePoint.reached("before-resume")
            if let handle, isPaused { await resume(handle, vdi) }
        } catch {
            await context.disks.release(uuid)
            throw error
        }
        await context.disks.release(uuid)
        return try result.get()
    }

    /// False when no data path runs (any more).
    private func pause(_ handle: DatapathHandle?, _ vdi: Row) async throws -> Bool {
        guard let handle else { return false }
        do {
            _ = try await handle.client.status()
            _ = try await handle.client.call(.pause)
            return true
        } catch let failure as DatapathClient.Failure {
            // It died; its successor waits until the disk is released.
            if failure.isUnreachable, await context.disks.host.handle(handle.id) == nil { return false }
            // It may be paused all the same, when the image could not be closed.
            let status = try? await handle.client.status()
            if status == nil || status?.isPaused == true { await resume(handle, vdi) }
            throw ErrorMapping.api(failure, sr: vdi[VDI.sr], vdi: vdi.typedRef(VDI.self))
        }
    }

    /// A data path that cannot go on is ended: everything is durable, and the supervisor starts it again. Whether it may write
    /// says the row: the image is opened for it, and a hostile one may have taken it over.
    private func resume(_ handle: DatapathHandle, _ vdi: Row) async {
        do {
            let image = try await context.image(of: vdi, readOnly: vdi[VDI.readOnly])
            _ = try await handle.client.call(.resume(image: image))
        } catch {
            context.logger.error(
                "a paused data path cannot go on and is restarted",
                metadata: ["vdi": "\(vdi[VDI.uuid])", "error": "\(error)"])
            await context.disks.host.stop(handle.id, forGood: false)
        }
    }
}
