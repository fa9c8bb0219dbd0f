import APITypes
import Logging
import PoolDatabase
import RPCCodec

/// How a disk is in use while NBD clients read it: as a read-only VBD of the control domain, by the same messages as others'.
extension DiskExports {
    func plug(_ vdi: Ref<VDI>) async throws -> Ref<VBD> {
        let domain = try context.row(context.host)[APITypes.Host.controlDomain]
        return try await asItself { dispatcher, session in
            let made = try await dispatcher.call(
                method: "VBD.create",
                params: [
                    session,
                    .structure([
                        WireMember("VM", .string(domain.opaque)), WireMember("VDI", .string(vdi.opaque)),
                        WireMember("userdevice", .string("autodetect")), WireMember("bootable", .bool(false)),
                        WireMember("mode", .string("RO")), WireMember("type", .string("Disk")),
                        WireMember("empty", .bool(false)),
                        WireMember("other_config", .structure([WireMember(Self.key, .string("true"))])),
                        WireMember("qos_algorithm_type", .string("")),
                        WireMember("qos_algorithm_params", .structure([])),
                    ]),
                ]
            ).get()
            guard case .ref(let vbd) = made else { throw APIError.internalError("VBD.create gave no reference") }
            do {
                _ = try await dispatcher.call(method: "VBD.plug", params: [session, .string(vbd)]).get()
            } catch {
                _ = await dispatcher.call(method: "VBD.destroy", params: [session, .string(vbd)])
                throw error
            }
            return Ref(vbd)
        }
    }

    func unplug(_ vbd: Ref<VBD>) async {
        do {
            try await asItself { [context] dispatcher, session in
                guard let row = context.database.read({ $0.row(vbd) }) else { return }
                if row[VBD.currentlyAttached] {
                    _ = try await dispatcher.call(method: "VBD.unplug", params: [session, .string(vbd.opaque)]).get()
                }
                _ = try await dispatcher.call(method: "VBD.destroy", params: [session, .string(vbd.opaque)]).get()
            }
        } catch {
            context.logger.error(
                "a disk that no NBD client reads any more cannot be unplugged; unplug and destroy the VBD",
                metadata: ["vbd": "\(vbd.opaque)", "error": "\(error)"])
        }
    }

    /// What an earlier toolstack has left.
    func unplugAll() async {
        let left = context.database.read { reader in
            reader.rows(VBD.self).filter { $0[VBD.otherConfig][Self.key] != nil }
        }
        for row in left { await unplug(row.typedRef(VBD.self)) }
    }

    private func asItself<T: Sendable>(
        _ body: @Sendable (Dispatcher, WireValue) async throws -> T
    ) async throws -> T {
        guard let dispatcher else { throw APIError("HOST_STILL_BOOTING") }
        let session = try await dispatcher.sessions.open(.superuser(name: "__nbd__"), originator: "NBD")
        do {
            let result = try await body(dispatcher, .string(session.opaque))
            try? await dispatcher.sessions.logout(session)
            return result
        } catch {
            try? await dispatcher.sessions.logout(session)
            throw error
        }
    }
}
