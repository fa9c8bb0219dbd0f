import APITypes
import Logging
import PoolDatabase
import StorageInterface
import StoragePlugins

/// Keeps the registry and the SM rows like the folders of third-party drivers, and attaches those drivers' SRs.
struct DriverWatch: Sendable {
    let context: StorageContext
    let folders: DriverFolders
    let home: DriverHome
    let leftovers: DriverLeftovers
    /// Of SMAPIv3, where there are any.
    var plugins: PluginFolders?
    /// What else waits until drivers can be asked.
    var whenTakenUp: (@Sendable () async -> Void)?

    /// Looks at the folders once. A type that this program serves itself stays its own.
    func look() async -> Bool {
        let drivers = await folders.look()
        use(drivers) { $0 is SMAPIv1Driver }
        guard let plugins = await plugins?.look() else { return !drivers.isEmpty }
        use(plugins) { $0 is SMAPIv3Plugin }
        return !drivers.isEmpty || !plugins.isEmpty
    }

    /// Only managers of the kind that changed are replaced or taken away: a type that is taken stays so.
    private func use(_ changes: DriverFolders.Changes, isOfKind: (any StorageManager) -> Bool) {
        for type in changes.lost where context.managers.manager(ofType: type).map(isOfKind) ?? false {
            context.managers.remove(type: type)
            context.logger.notice("a storage driver is gone", metadata: ["type": "\(type)"])
        }
        for manager in changes.found {
            let info = manager.info
            if let present = context.managers.manager(ofType: info.type), !isOfKind(present) {
                context.logger.warning(
                    "a storage driver is left out: another has its type",
                    metadata: ["type": "\(info.type)", "driver": "\(info.driverFilename)"])
                continue
            }
            context.managers.set(manager)
            context.logger.notice(
                "a storage driver is used", metadata: ["type": "\(info.type)", "driver": "\(info.driverFilename)"])
        }
    }

    /// For ever: follows the folders. Beside that, once drivers can call back, attaches the SRs that were plugged.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await follow() }
            group.addTask { await takeUp() }
        }
    }

    private func follow() async {
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            guard await look() else { continue }
            do {
                try await StorageManagerRows.register(context)
            } catch {
                context.logger.error("the SM rows cannot be written", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Goes on where an earlier toolstack ended: its drivers' runs first, then its SRs, all at once, as one whose driver
    /// hangs is no reason for the others to wait, and then what it had begun with their disks.
    private func takeUp() async {
        await leftovers.end()
        home.leftoversAreGone()
        do { try await home.untilAPIAnswers() } catch { return }
        let plugged = context.database.read { reader in
            reader.rows(PBD.self) { $0[PBD.currentlyAttached] && $0[PBD.host] == context.host }
        }
        home.repositoriesComeBack(Set(plugged.map { $0[PBD.sr].opaque }))
        await withTaskGroup(of: Void.self) { group in
            for pbd in plugged { group.addTask { await takeUp(pbd) } }
        }
        await DiskCopy.sweep(context, foreign: true)
        await MachineDisks.sweep(context, foreign: true)
        await UnfinishedImports.sweep(context, foreign: true)
        await whenTakenUp?()
        await context.releaseLeftovers()
    }

    private func takeUp(_ pbd: Row) async {
        let sr = pbd[PBD.sr]
        await reattach(pbd)
        home.repositoryIsBack(sr.opaque)
        guard context.isForeign(sr) else { return }
        await context.disks.resumePaused {
            try await context.image(of: $0, readOnly: $0[VDI.readOnly])
        } where: {
            $0[VDI.sr] == sr
        }
    }

    /// An SR whose driver refuses is unplugged, unless a disk of it is in use: its data path goes on without the driver.
    private func reattach(_ pbd: Row) async {
        do {
            let attached = try context.attached(pbd[PBD.sr])
            guard attached.manager.info.writesRows else { return }
            try await attached.manager.attach(attached.repository)
        } catch {
            context.logger.error(
                "an SR of a storage driver cannot be attached",
                metadata: ["pbd": "\(pbd.uuid)", "error": "\(error)"])
            try? await context.database.transaction { tx in
                guard OperationFacts(tx).usedDisk(of: pbd[PBD.sr]) == nil else { return }
                try tx.set(pbd.typedRef(PBD.self), PBD.currentlyAttached, false)
            }
        }
    }
}
