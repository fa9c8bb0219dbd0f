import APITypes
import CoreTypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface

/// The SM rows follow the drivers that there are; plugged PBDs are attached again at each start.
enum StorageManagerRows {
    static func register(_ context: StorageContext) async throws {
        let infos = context.managers.all.map(\.info)
        try await context.database.transaction { tx in
            let used = Set(tx.rows(SR.self).map { $0[SR.type] })
            for row in tx.rows(SM.self)
            where !infos.contains(where: { $0.type == row[SM.type] }) && !used.contains(row[SM.type]) {
                tx.delete(row.typedRef(SM.self))
            }
            for info in infos {
                let ref: Ref<SM>
                if let existing = tx.rows(SM.self, where: { $0[SM.type] == info.type }).first {
                    ref = existing.typedRef(SM.self)
                } else {
                    ref = Fresh.ref()
                    tx.insert(SM.self, ref: ref) { row in
                        row[SM.uuid] = Fresh.uuid()
                        row[SM.type] = info.type
                    }
                }
                try tx.set(ref, SM.nameLabel, info.name)
                try tx.set(ref, SM.nameDescription, info.description)
                try tx.set(ref, SM.vendor, info.vendor)
                try tx.set(ref, SM.copyright, info.copyright)
                try tx.set(ref, SM.version, info.version)
                try tx.set(ref, SM.requiredAPIVersion, info.requiredAPIVersion)
                try tx.set(ref, SM.capabilities, info.features.keys.sorted())
                try tx.set(ref, SM.features, info.features)
                try tx.set(ref, SM.configuration, info.configuration)
                try tx.set(ref, SM.driverFilename, info.driverFilename)
                try tx.set(ref, SM.requiredClusterStack, info.requiredClusterStack)
                try tx.set(ref, SM.supportedImageFormats, info.supportedImageFormats.map(\.declared))
            }
        }
    }

    /// A PBD whose storage is not there is unplugged, with a warning, so that nothing is promised.
    static func reattach(_ context: StorageContext) async {
        let plugged = context.database.read { reader in
            reader.rows(PBD.self) { $0[PBD.currentlyAttached] && $0[PBD.host] == context.host }
        }
        for pbd in plugged {
            do {
                let attached = try context.attached(pbd[PBD.sr])
                // Third-party drivers call back: they are asked when that is possible.
                if attached.manager.info.writesRows { continue }
                try await attached.manager.attach(attached.repository)
            } catch {
                context.logger.warning(
                    "an SR cannot be attached", metadata: ["pbd": "\(pbd.uuid)", "error": "\(error)"])
                try? await context.database.transaction { tx in
                    try tx.set(pbd.typedRef(PBD.self), PBD.currentlyAttached, false)
                }
            }
        }
    }
}

extension ImageFormat {
    /// The same format as the API's enum.
    var declared: ImageFormatType {
        switch self {
        case .raw: .raw
        case .vhd: .vhd
        case .qcow2: .qcow2
        }
    }
}
