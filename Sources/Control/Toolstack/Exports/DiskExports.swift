import APITypes
import CLinux
import DatapathControl
import Foundation
import Logging
import PoolDatabase
import RPCCodec

/// Disks for NBD clients over the network, read-only: backup programs, mostly. A disk is plugged into the control domain, as a
/// VBD, for as long as a client reads it: the rules for disks in use hold, and everybody sees why. Source: XenAPI,
/// VDI.get_nbd_info and network.purpose.
public actor DiskExports {
    /// What clients are shown: the host's certificate.
    public struct Identity: Sendable {
        let certificateFile: String
        let keyFile: String
        /// The name by which clients check the certificate.
        let subject: String

        public init(certificateFile: String, keyFile: String, subject: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.subject = subject
        }
    }

    /// In the VBD's other_config; the value says nothing.
    static let key = "nbd_export"

    struct Settings: Sendable {
        /// Path of gantry-datapath.
        let program: String
        /// `RUN/nbd`.
        let folder: String
        /// 0: a free one for each address.
        let port: UInt16
    }

    /// What one gate calls one client.
    private struct Client: Hashable {
        let gate: ObjectIdentifier
        let id: UInt64

        init(_ gate: ExportGate, _ id: UInt64) { (self.gate, self.id) = (ObjectIdentifier(gate), id) }
    }

    /// A disk that clients read.
    private struct Use {
        var clients: Set<Client>
        var vbd: Task<Ref<VBD>, any Error>
        /// Being unplugged; who comes now waits for that.
        var ending: Task<Void, Never>?
    }

    let context: StorageContext
    private let settings: Settings
    private(set) var dispatcher: Dispatcher?
    private var identify: (@Sendable () throws -> Identity)?
    private var gate: ExportGate?
    private var user: UInt32?
    /// Where the gate is to listen.
    private var places: [ExportAddress] = []
    /// Where it does, and on which port.
    private var listening: [ExportAddress: Int] = [:]
    private var uses: [Ref<VDI>: Use] = [:]
    /// What the clients of the gate read.
    private var disks: [Client: Ref<VDI>] = [:]
    /// Clients that wait to be let in.
    private var openings = 0
    private static let mostOpenings = 128
    private var isExchanging = false
    private var isOutdated = false
    private var told: Set<String> = []

    init(context: StorageContext, settings: Settings) {
        self.context = context
        self.settings = settings
    }

    func open(_ dispatcher: Dispatcher) { self.dispatcher = dispatcher }

    /// From now on clients can be served. `identify` makes the host's certificate where there is none.
    public func open(identify: @escaping @Sendable () throws -> Identity) async {
        self.identify = identify
        await unplugAll()
        await refresh()
    }

    /// Serves where the networks' purposes say, and nowhere else. Each call sees at least what was so when it was made.
    func refresh() async {
        isOutdated = true
        await beginExchange()
        defer { isExchanging = false }
        guard isOutdated else { return }
        isOutdated = false
        guard let identify, dispatcher != nil else { return }
        let wanted = context.database.read { ExportAddress.wanted($0, host: context.host) }
        if let gate, wanted == places { return listen(gate) }
        await stopGate()
        if wanted.isEmpty { return }
        do {
            try await startGate(wanted, try identify())
        } catch {
            context.logger.error("disks cannot be served to NBD clients", metadata: ["error": "\(error)"])
        }
    }

    /// Clients that come from now on see it; the connections of those that are there end.
    public func certificateChanged() async {
        await stop()
        await refresh()
    }

    /// One gate is gone, with its user, its port and its clients' disks, before the next one comes. The caller ends it.
    private func beginExchange() async {
        while isExchanging { try? await Task.sleep(for: .milliseconds(10)) }
        isExchanging = true
    }

    /// Looks from time to time at what no message tells: addresses that change, and a gate that has died.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(10))
            await refresh()
        }
    }

    /// Clients' connections end.
    func stop() async {
        await beginExchange()
        await stopGate()
        isExchanging = false
    }

    // MARK: The gate

    private func startGate(_ wanted: [ExportAddress], _ identity: Identity) async throws {
        user = await context.disks.host.takeUser()
        let certificate = ExportGate.Certificate(certificate: identity.certificateFile, key: identity.keyFile)
        let started = try ExportGate.start(
            program: settings.program, folder: settings.folder, certificate: certificate, user: user)
        (gate, places) = (started, wanted)
        listen(started)
        context.logger.info(
            "disks are served to NBD clients",
            metadata: ["addresses": "\(listening.map { "\($0.key.address):\($0.value)" }.sorted())"])
        Task { [weak self] in
            for await event in started.events { await self?.take(event, from: started) }
            await self?.ended(started)
        }
    }

    /// Where it does not yet: another program may have had the port.
    private func listen(_ gate: ExportGate) {
        for place in places where listening[place] == nil {
            // SAFETY: the C string lives for the call.
            let listener = unsafe gantry_tcp_listen(place.address, settings.port, 64)
            guard listener >= 0 else {
                if told.insert(place.address).inserted {
                    context.logger.error(
                        "no NBD clients are served at an address; another program may have the port",
                        metadata: [
                            "address": "\(place.address)", "port": "\(settings.port)",
                            "error": "\(unsafe String(cString: strerror(-listener)))",
                        ])
                }
                continue
            }
            defer { close(listener) }
            if gate.send(.listen(encrypted: place.isEncrypted), files: [listener]) {
                listening[place] = Int(gantry_tcp_port(listener))
            }
        }
    }

    private func stopGate() async {
        guard let last = gate else { return }
        gate = nil
        await last.stop()
        await forgetClients()
    }

    private func forgetClients() async {
        (listening, places) = ([:], [])
        if let user { await context.disks.host.giveBackUser(user) }
        user = nil
        for client in disks.keys.sorted(by: { $0.id < $1.id }) { release(client) }
    }

    /// By itself.
    private func ended(_ last: ExportGate) async {
        guard gate === last else { return }
        context.logger.error("the gate for NBD clients has ended", metadata: ["cause": "\(last.lastWords)"])
        await beginExchange()
        if gate === last { await stopGate() }
        isExchanging = false
        // One that dies at once is not started without a pause.
        try? await Task.sleep(for: .seconds(1))
        await refresh()
    }

    private func take(_ event: GateEvent, from sender: ExportGate) {
        guard gate === sender else { return }
        switch event {
        case .ready(let without):
            if without.isEmpty { return }
            context.logger.warning(
                "the gate for NBD clients runs without a part of its isolation",
                metadata: ["parts": "\(without.joined(separator: " "))"])
        case .open(let id, let name, let peer):
            guard openings < Self.mostOpenings else {
                sender.send(.refused(id: id, reason: "TOO_BUSY"))
                return
            }
            openings += 1
            Task {
                await serve(id, name, peer, for: sender)
                openings -= 1
            }
        case .closed(let id): release(Client(sender, id))
        }
    }

    // MARK: Clients

    private func serve(_ id: UInt64, _ name: String, _ peer: String, for sender: ExportGate) async {
        let client = Client(sender, id)
        do {
            let vdi = try await admit(name)
            // The gate may be gone by now.
            guard gate === sender, disks[client] == nil else { return }
            disks[client] = vdi
            try await use(vdi, by: client)
            guard disks[client] != nil else { return leave(vdi, client) }
            guard let handle = await context.disks.active(try context.row(vdi)[VDI.uuid]) else {
                throw APIError("VDI_NOT_AVAILABLE", vdi.opaque)
            }
            let sockets = await connect(handle.nbdSocket)
            defer { for socket in sockets { close(socket) } }
            guard sockets.count == 2 else { throw APIError("VDI_NOT_AVAILABLE", vdi.opaque) }
            context.logger.info("an NBD client reads a disk", metadata: ["vdi": "\(vdi.opaque)", "peer": "\(peer)"])
            // The VBD is read-only; the disk need not be.
            sender.send(.opened(id: id, export: DatapathExport.readOnly), files: sockets)
        } catch {
            let refusal = error as? APIError ?? APIError(error, task: .null)
            let reason = refusal.wire.joined(separator: " ")
            context.logger.info("an NBD client is refused", metadata: ["peer": "\(peer)", "error": "\(reason)"])
            release(client)
            sender.send(.refused(id: id, reason: reason))
        }
    }

    /// The disk that a client may read: its name holds a session that is in force, of somebody who may ask for the name.
    private func admit(_ name: String) async throws -> Ref<VDI> {
        guard let dispatcher, let name = ExportName(parsing: name) else { throw APIError("HANDLE_INVALID", "VDI", "") }
        let session = WireValue.string(name.session.opaque)
        let found = try await dispatcher.call(
            method: "VDI.get_by_uuid", params: [session, .string(name.vdi)]
        ).get()
        guard case .ref(let vdi) = found else { throw APIError("UUID_INVALID", "VDI", name.vdi) }
        _ = try await dispatcher.call(method: "VDI.get_nbd_info", params: [session, .string(vdi)]).get()
        return Ref(vdi)
    }

    private func use(_ vdi: Ref<VDI>, by client: Client) async throws {
        while let ending = uses[vdi]?.ending { await ending.value }
        if uses[vdi] == nil {
            uses[vdi] = Use(clients: [], vbd: Task { try await plug(vdi) }, ending: nil)
        }
        uses[vdi]?.clients.insert(client)
        _ = try await uses[vdi]?.vbd.value
    }

    /// Fine for one that is not served.
    private func release(_ client: Client) {
        if let vdi = disks.removeValue(forKey: client) { leave(vdi, client) }
    }

    private func leave(_ vdi: Ref<VDI>, _ client: Client) {
        guard var use = uses[vdi] else { return }
        use.clients.remove(client)
        if use.clients.isEmpty, use.ending == nil {
            use.ending = Task { [vbd = use.vbd] in
                if let vbd = try? await vbd.value { await unplug(vbd) }
                uses[vdi] = nil
            }
        }
        uses[vdi] = use
    }

    private func connect(_ socket: String) async -> [Int32] {
        await onThread {
            // SAFETY: the C string lives for the calls.
            (0..<2).map { _ in unsafe gantry_unix_connect(socket) }.filter { $0 >= 0 }
        }
    }

    // MARK: What clients are told

    /// One for each address; none while disks are not served.
    func information(_ name: ExportName) throws -> [APIValue] {
        guard gate != nil, let identity = try identify?() else { return [] }
        let certificate = try String(contentsOfFile: identity.certificateFile, encoding: .utf8)
        return listening.sorted { $0.key.address < $1.key.address }.map { place, port in
            .record([
                APIMember(VDINBDServerInfo.exportname.name, .string(name.text)),
                APIMember(VDINBDServerInfo.address.name, .string(place.address)),
                APIMember(VDINBDServerInfo.port.name, .int(Int64(port))),
                APIMember(VDINBDServerInfo.cert.name, .string(certificate)),
                APIMember(VDINBDServerInfo.subject.name, .string(identity.subject)),
            ])
        }
    }
}
