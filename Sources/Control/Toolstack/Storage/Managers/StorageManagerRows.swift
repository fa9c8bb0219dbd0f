import APITypes
import CoreTypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers

/// The SM rows follow the drivers that there are.
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
                try promise(info, ref, of: context.host, in: tx)
                try tx.set(ref, SM.configuration, info.configuration)
                try tx.set(ref, SM.driverFilename, info.driverFilename)
                try tx.set(ref, SM.requiredClusterStack, info.requiredClusterStack)
            }
        }
        for info in infos where !info.unknownImageFormats.isEmpty { try await warn(of: info, context) }
    }

    private static let formatsKind = "sm-formats"
    /// In SM.other_config where the hosts' drivers have no image format in common, with what each declares; the driver does not
    /// decide there, but no disk is made. Also told to other pools.
    static let lackKey = "no-common-image-format"

    /// Features and formats: those that all hosts have.
    private static func promise(
        _ info: StorageManagerInfo, _ ref: Ref<SM>, of host: Ref<APITypes.Host>, in tx: Transaction
    ) throws {
        let row = try tx.require(ref)
        var state = ManagerFeatures(offered: row[SM.features])
        for (other, texts) in row[SM.hostPendingFeatures] {
            state.pending[other.opaque] = ManagerFeatures.features(texts)
        }
        if let stored = tx.privateRecords(kind: formatsKind)[info.type] {
            state.formats = (try? JSONDecoder().decode([String: Set<String>].self, from: Data(stored.utf8))) ?? [:]
        }
        state.offeredFormats = Set(row[SM.supportedImageFormats].map(\.rawValue))
        let hosts = Set(tx.rows(APITypes.Host.self).map(\.ref))
        state.report(
            info.features, formats: Set(info.supportedImageFormats.map(\.rawValue)), from: host.opaque, hosts: hosts)
        try tx.set(ref, SM.features, state.offered)
        try tx.set(ref, SM.capabilities, state.offered.keys.sorted())
        try tx.set(
            ref, SM.hostPendingFeatures,
            Dictionary(
                uniqueKeysWithValues: state.pending.map {
                    (Ref<APITypes.Host>($0.key), ManagerFeatures.text($0.value))
                }))
        try tx.set(
            ref, SM.supportedImageFormats,
            info.supportedImageFormats.filter { state.offeredFormats.contains($0.rawValue) }.map(\.declared))
        var other = row[SM.otherConfig]
        other[lackKey] = state.lackOfFormats(among: hosts) { tx.row(Ref<APITypes.Host>($0))?.uuid ?? $0 }
        if other != row[SM.otherConfig] { try tx.set(ref, SM.otherConfig, other) }
        let stored = try JSONEncoder().encode(state.formats)
        tx.setPrivate(kind: formatsKind, key: info.type, value: String(decoding: stored, as: UTF8.self))
    }

    /// A driver that declares formats which nobody knows works without them; administrators are told, once for each.
    static func warn(of info: StorageManagerInfo, _ context: StorageContext) async throws {
        let names = info.unknownImageFormats.map { String($0.prefix(40)) }.sorted().joined(separator: ", ")
        context.logger.warning(
            "a storage manager declares image formats that are not known",
            metadata: ["type": "\(info.type)", "formats": "\(names)"])
        let body = "The storage manager '\(info.type)' declares image formats that are not known here: \(names)"
        let host = context.host
        try await context.database.transaction { tx in
            guard let row = tx.row(host) else { return }
            let isKnown = tx.rows(XenMessage.self).contains {
                $0[XenMessage.name] == Alerts.Kind.unknownImageFormat.name && $0[XenMessage.body] == body
            }
            if isKnown { return }
            Alerts.post(.unknownImageFormat, about: .host, uuid: row[APITypes.Host.uuid], body: body, in: tx)
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
