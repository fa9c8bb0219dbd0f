import APITypes
import CoreTypes
import Foundation
import Guests
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageMotion
import XenAPIClient

/// What VM.migrate_send to another pool needs to know before it begins.
struct SurveyedDeparture: Sendable {
    let place: PeerPlace
    /// At the other side.
    let session: String
    /// The other side's host, by its reference.
    let host: String
    let offer: MoveOffer
    let disks: [DepartingMachine.Disk]
    /// What the other side would make of the disks, in their order.
    let decisions: [MoveAcceptance.Disk]
    /// The other side's SRs, by reference.
    let repositories: [String: MovePlan.Place]
    /// Of a machine that runs: its `domid`.
    var domain: Int64?
    /// Its snapshots, by their references, oldest first.
    var snapshots: [String] = []
    /// The session may stay when the move is over (`MoveAcceptance.remembers`).
    var keepsSession = false
    /// The uuid of an SR of the other side that has no room yet, and is to get it back.
    var waitsFor: String?
}

/// The checks of VM.assert_can_migrate and VM.migrate_send for a machine that is to go to another pool, in XenAPI's order:
/// what the rows here tell, what the other side's tell, and at last its own decisions. Nothing is changed on either side.
struct DepartureSurvey: Sendable {
    let context: StorageContext
    let guests: GuestHost
    let move: MachineMove
    /// The caller has been admitted to it already.
    var isHeld = false

    /// Whether the destination is another pool's: its host is not known here, and the answer of `host.migrate_receive` says
    /// where it is.
    static func isMeant(_ move: MachineMove, _ reader: any DatabaseReader) -> Bool {
        guard let host = move.destination["host"], reader.row(Ref<APITypes.Host>(host)) == nil else { return false }
        return move.destination["session_id"] != nil && Self.url(move) != nil
    }

    private static func url(_ move: MachineMove) -> String? {
        ["xenops", "SM", "master"].lazy.compactMap { move.destination[$0] }.first { PeerPlace.parse($0) != nil }
    }

    func run() async throws -> SurveyedDeparture {
        let wanted = try context.database.read { try here($0) }
        let running = try await guest()
        guard let session = move.destination["session_id"], let host = move.destination["host"],
            let address = Self.url(move).flatMap(PeerPlace.parse)
        else { throw APIError("INVALID_VALUE", "dest", "give what host.migrate_receive answered") }
        let place: PeerPlace
        do {
            let shown = try await PeerConnection.certificate(host: address.host, port: address.port)
            place = PeerPlace(host: address.host, port: address.port, fingerprint: shown.description)
        } catch is ConnectionError {
            throw APIError("CANNOT_CONTACT_HOST", address.host)
        }
        let link = try PeerLink(place, id: Fresh.uuid(), secret: Self.secret())
        do {
            var surveyed = try await survey(wanted, running?.passport, link, place, session: session, host: host)
            surveyed.domain = running?.domain
            await link.close()
            return surveyed
        } catch {
            await link.close()
            throw MigrationTokens.told(
                Self.named(error, move.vm, of: context.host, in: context.database), by: place.host)
        }
    }

    /// Another pool knows the machine by its uuid, or by the reference that it would have there, and this `host` by its name: where an
    /// error has a parameter for them, its caller is told the references that they have here.
    static func named(
        _ error: any Error, _ vm: Ref<VM>, of host: Ref<APITypes.Host>, in database: PoolDatabase
    ) -> any Error {
        if let failed = error as? APIError, failed.code == "VM_MIGRATE_FAILED", failed.parameters.count > 1 {
            return APIError(failed.code, [vm.opaque, host.opaque] + failed.parameters.dropFirst(2))
        }
        guard let error = error as? APIError, let uuid = database.read({ $0.row(vm)?[VM.uuid] }),
            let place = place(ofVM: error.code), error.parameters.indices.contains(place),
            error.parameters[place] == uuid
        else { return error }
        var parameters = error.parameters
        parameters[place] = vm.opaque
        return APIError(error.code, parameters)
    }

    private static func place(ofVM code: String) -> Int? {
        switch code {
        case "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION": 2
        case "VM_INCOMPATIBLE_WITH_THIS_HOST": 0
        default: nil
        }
    }

    /// Of a machine that runs. VM_HALTED [vm] when its guest has just ended.
    private func guest() async throws -> (passport: String, domain: Int64)? {
        let row = try context.row(move.vm)
        guard row[VM.powerState] == .running else { return nil }
        do {
            return (try GuestDocument.encode(try await guests.passport(of: row[VM.uuid])), row[VM.domid])
        } catch let error as GuestError {
            throw GuestDocument.mapped(error, vm: row.ref, host: context.host) ?? APIError.internalError("\(error)")
        }
    }

    private func survey(
        _ asked: [WantedMove], _ passport: String?, _ link: PeerLink, _ place: PeerPlace, session: String, host: String
    ) async throws -> SurveyedDeparture {
        let peer = link.connection.session(session)
        let (wanted, repositories): ([WantedMove], [String: MovePlan.Place])
        do {
            wanted = try await placed(asked, peer, host: host)
            repositories = try await there(wanted, peer, host: host)
            await peer.close()
        } catch {
            await peer.close()
            if error is ConnectionError { throw APIError("CANNOT_CONTACT_HOST", place.host) }
            throw error
        }
        var (offered, disks): ([OfferedDisk], [DepartingMachine.Disk]) = ([], [])
        var nodes: [String: SnapshotTree.Node] = [:]
        let snapshots = context.database.read { self.snapshots($0) }
        let owners = Set([move.vm] + snapshots.map { $0.typedRef(VM.self) })
        for move in wanted {
            let row = try context.row(move.vdi)
            let (disk, node) = try await describe(move, row)
            offered.append(disk)
            nodes[row.ref] = node
            let isShared = context.database.read { reader in
                reader.rows(VBD.self) { $0[VBD.vdi] == move.vdi && !owners.contains($0[VBD.vm]) }.isEmpty == false
            }
            disks.append(
                DepartingMachine.Disk(
                    vdi: row.ref, uuid: row[VDI.uuid], sr: row[VDI.sr].opaque, location: row[VDI.location],
                    stays: isShared || self.move.isCopy, isSnapshot: move.role == .snapshot ? true : nil))
        }
        let order = Self.order(offered, nodes)
        (offered, disks) = (order.map { offered[$0] }, order.map { disks[$0] })
        Self.connect(&offered, nodes)
        for index in disks.indices { disks[index].base = offered[index].base }
        var offer = try context.database.read { reader in try makeOffer(link.id, offered, reader) }
        (offer.passport, offer.mayWait) = (passport, true)
        let decided: MoveAcceptance = try await link.ask("check", offer, session: session)
        try decided.requireTaken(offer, by: place.host)
        guard decided.disks.map(\.vdi) == offered.map(\.vdi) else {
            throw APIError.internalError("\(place.host) has decided about other disks")
        }
        return SurveyedDeparture(
            place: place, session: session, host: host, offer: offer, disks: disks, decisions: decided.disks,
            repositories: repositories, snapshots: snapshots.map(\.ref),
            keepsSession: decided.takes?.contains(MoveAcceptance.remembers) == true, waitsFor: decided.waitsFor)
    }

    /// 256 bits that nobody guesses.
    static func secret() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let word = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - word.count) + word
        }.joined()
    }

    // MARK: - Checks

    private func here(_ reader: any DatabaseReader) throws -> [WantedMove] {
        let row = try reader.require(move.vm)
        if !isHeld { try OperationClaim.vm(move.vm, .migrateSend).check(reader) }
        try move.checkWords()
        _ = try DiskMoves.rate(move.options)
        _ = try MirrorWishes.settings(move.options)
        try MirrorWishes.checkedVerification(move.options)
        if let network = move.options["network"], !network.isEmpty {
            throw APIError(
                "INVALID_VALUE", "network",
                "\(network): the move goes over the network that host.migrate_receive was given")
        }
        let all = MachineMove.disks(of: move.vm, reader)
        var wanted: [WantedMove] = []
        for (vdi, isWritten) in all {
            guard let sr = move.disks[vdi] else { throw APIError("VDI_NOT_IN_MAP", vdi.opaque) }
            wanted.append(
                WantedMove(
                    vdi: vdi, role: isWritten ? .disk : .readOnly, destination: sr, choice: move.formats[vdi] ?? ""))
        }
        // Before the disks that stand on them.
        wanted = try checkpointImages(reader) + snapshotDisks(wanted, reader) + wanted
        if row[VM.powerState] == .suspended {
            let image = row[VM.suspendVDI]
            try requireAccessible(image, reader)
            wanted.append(
                WantedMove(
                    vdi: image, role: .suspendImage, destination: move.disks[image], choice: move.formats[image] ?? ""))
        }
        try move.checkKeys(reader, besides: wanted)
        for disk in wanted {
            let sr = try reader.require(disk.vdi)[VDI.sr]
            if try context.promised(context.attached(sr).manager).features["VDI_MIRROR"] == nil {
                throw APIError("SR_DOES_NOT_SUPPORT_MIGRATION", sr.opaque, "VDI_MIRROR")
            }
        }
        if move.isCopy { try Self.checkCopy(of: row, isForced: move.isForced) }
        try checkInterfaces(reader)
        for disk in wanted {
            let vdi = try reader.require(disk.vdi)
            if vdi[VDI.cbtEnabled] { throw APIError("VDI_CBT_ENABLED", disk.vdi.opaque) }
            if vdi[VDI.smConfig]["key_hash"] != nil { throw APIError("VDI_IS_ENCRYPTED", disk.vdi.opaque) }
        }
        for disk in wanted where try disk.role != .snapshot && reader.require(disk.vdi)[VDI.onBoot] == .reset {
            throw ErrorMapping.resetsOnBoot(disk.vdi.opaque)
        }
        return wanted
    }

    /// XenAPI copies what is halted only, unless forced: then what is suspended goes with a copy of its memory. What runs is moved by
    /// XenAPI even then, and halted here, which is no copy. VM_BAD_POWER_STATE [vm, expected, actual].
    static func checkCopy(of vm: Row, isForced: Bool) throws(APIError) {
        let states: [VMPowerState] = isForced ? [.halted, .suspended] : [.halted]
        if states.contains(vm[VM.powerState]) { return }
        throw APIError(
            "VM_BAD_POWER_STATE", vm.ref, states.map { $0.rawValue.lowercased() }.joined(separator: ", "),
            vm[VM.powerState].rawValue.lowercased())
    }

    /// Those that go with the machine: a copy goes without.
    func snapshots(_ reader: any DatabaseReader) -> [Row] {
        if move.isCopy { return [] }
        return reader.rows(VM.self) { $0[VM.snapshotOf] == move.vm && $0[VM.isASnapshot] }
            .sorted { ($0[VM.snapshotTime].seconds, $0.ref) < ($1[VM.snapshotTime].seconds, $1.ref) }
    }

    /// The disks of the machine's snapshots, oldest first. They go, unless the map says otherwise, where their disks go, in the
    /// formats of these.
    private func snapshotDisks(_ own: [WantedMove], _ reader: any DatabaseReader) throws -> [WantedMove] {
        let known = Dictionary(own.map { ($0.vdi, $0) }) { first, _ in first }
        var found: [Ref<VDI>: Row] = [:]
        for snapshot in snapshots(reader) {
            for (vdi, _) in MachineMove.disks(of: snapshot.typedRef(VM.self), reader) where known[vdi] == nil {
                found[vdi] = try reader.require(vdi)
            }
        }
        let sorted = found.values.sorted {
            ($0[VDI.snapshotTime].seconds, $0.ref) < ($1[VDI.snapshotTime].seconds, $1.ref)
        }
        return sorted.map { row in
            let (vdi, origin) = (row.typedRef(VDI.self), known[row[VDI.snapshotOf]])
            return WantedMove(
                vdi: vdi, role: .snapshot, destination: move.disks[vdi] ?? origin?.destination,
                choice: move.formats[vdi] ?? origin?.choice ?? "")
        }
    }

    /// The memory of the machine's checkpoints. They are copied like snapshots' disks: nobody writes them.
    private func checkpointImages(_ reader: any DatabaseReader) throws -> [WantedMove] {
        try snapshots(reader).compactMap { MachineMemory(of: $0, reader)?.image }.map { image in
            try requireAccessible(image, reader)
            return WantedMove(
                vdi: image, role: .snapshot, destination: move.disks[image], choice: move.formats[image] ?? "")
        }
    }

    /// SUSPEND_IMAGE_NOT_ACCESSIBLE [vdi].
    private func requireAccessible(_ image: Ref<VDI>, _ reader: any DatabaseReader) throws(APIError) {
        guard let found = reader.row(image), (try? context.attached(found[VDI.sr])) != nil else {
            throw APIError("SUSPEND_IMAGE_NOT_ACCESSIBLE", image.opaque)
        }
    }

    /// An interface goes to the network that is named for it, or for another of its hardware address.
    private func checkInterfaces(_ reader: any DatabaseReader) throws {
        for vm in [move.vm] + snapshots(reader).map({ $0.typedRef(VM.self) }) {
            for interface in interfaces(vm, reader) where network(of: interface, reader) == nil {
                throw APIError("VIF_NOT_IN_MAP", interface.ref)
            }
        }
    }

    func interfaces(_ vm: Ref<VM>, _ reader: any DatabaseReader) -> [Row] {
        reader.rows(VIF.self) { $0[VIF.vm] == vm }.sorted { ($0[VIF.device], $0.ref) < ($1[VIF.device], $1.ref) }
    }

    func network(of interface: Row, _ reader: any DatabaseReader) -> Ref<Network>? {
        if let named = move.networks[interface.typedRef(VIF.self)] { return named }
        return move.networks.sorted { $0.key.opaque < $1.key.opaque }.first { vif, _ in
            reader.row(vif)?[VIF.mac] == interface[VIF.mac]
        }?.value
    }

    /// The memory of a suspended machine, and of a checkpoint, goes, unless the map says otherwise, where the other pool would suspend
    /// it to, and a snapshot whose disk does not go along to its default SR.
    private func placed(_ wanted: [WantedMove], _ peer: XenAPISession, host: String) async throws -> [WantedMove] {
        if wanted.allSatisfy({ $0.destination != nil }) { return wanted }
        let pool = try await peer.call("pool.get_all_records", []).members?.first?.value
        let there = try await peer.call("host.get_record", [.string(host)])
        let known = Set(try await peer.call("SR.get_all", []).items?.compactMap(\.text) ?? [])
        let standard = pool?.member("default_SR")?.text
        let memory = [pool?.member("suspend_image_SR")?.text, there.member("suspend_image_sr")?.text, standard]
        var placed = wanted
        for index in wanted.indices where wanted[index].destination == nil {
            let isMemory = try context.row(wanted[index].vdi)[VDI.type] == .suspend
            let wishes = isMemory || wanted[index].role == .suspendImage ? memory : [standard]
            guard let sr = wishes.compactMap({ $0 }).first(where: known.contains) else {
                throw APIError("VDI_NOT_IN_MAP", wanted[index].vdi.opaque)
            }
            placed[index].destination = Ref(sr)
        }
        return placed
    }

    /// What the other side's rows say, in calls that every version has.
    private func there(
        _ wanted: [WantedMove], _ peer: XenAPISession, host: String
    ) async throws -> [String: MovePlan.Place] {
        var places: [String: MovePlan.Place] = [:]
        try await checkSoftware(peer, host: host)
        let managers = try await peer.call("SM.get_all_records", []).members ?? []
        for disk in wanted {
            guard let sr = disk.destination else { throw APIError("VDI_NOT_IN_MAP", disk.vdi.opaque) }
            let record = try await peer.call("SR.get_record", [.string(sr.opaque)])
            let type = record.member("type")?.text ?? ""
            places[sr.opaque] = Self.place(record)
            let known = managers.map(\.value).filter { $0.member("type")?.text == type }
            guard known.count == 1, let manager = known.first else {
                throw APIError(
                    "VDI_INCOMPATIBLE_TYPE", disk.vdi.opaque,
                    "Found more than one SM ref (\(known.count)) of the type \(type)")
            }
            try checkFormat(disk, manager, sr: record.member("uuid")?.text ?? "")
        }
        return places
    }

    /// VM_HOST_INCOMPATIBLE_VERSION_MIGRATE [vm, host] for a host whose software is older than this one's.
    private func checkSoftware(_ peer: XenAPISession, host: String) async throws {
        let told = try await peer.call("host.get_software_version", [.string(host)]).members ?? []
        let there = Dictionary(told.map { ($0.name, $0.value.text ?? "") }) { first, _ in first }
        let here = context.database.read { $0.row(context.host)?[APITypes.Host.softwareVersion] } ?? [:]
        if SoftwareOrder.isOlder(there, than: here) {
            throw APIError("VM_HOST_INCOMPATIBLE_VERSION_MIGRATE", move.vm.opaque, host)
        }
    }

    private static func place(_ record: WireValue) -> MovePlan.Place {
        let size = record.member("physical_size")?.text.flatMap { UInt64($0) } ?? 0
        let used = record.member("physical_utilisation")?.text.flatMap { UInt64($0) } ?? 0
        return MovePlan.Place(
            sr: record.member("uuid")?.text ?? "", name: record.member("name_label")?.text ?? "", format: "",
            free: size > 0 ? size - min(size, used) : nil)
    }

    /// A manager that names no formats decides by itself; a server that cannot name them is of before there was a choice.
    private func checkFormat(_ disk: WantedMove, _ manager: WireValue, sr: String) throws {
        let words = disk.choice.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        if manager.member("other_config")?.member(StorageManagerRows.lackKey) != nil {
            throw ErrorMapping.api(.nothingInCommon, vdi: disk.vdi, srUUID: sr, supported: [])
        }
        if words.isEmpty { return }
        for word in words where ImageFormat(parsing: word) == nil {
            throw ErrorMapping.api(.unknown(given: word), vdi: disk.vdi, srUUID: sr, supported: [])
        }
        guard let formats = manager.member("supported_image_formats")?.items else {
            throw APIError(
                "VDI_INCOMPATIBLE_TYPE", disk.vdi.opaque,
                "Image format \(words[0].lowercased()) cannot be asked of SR \(sr): its pool is of an earlier version, which "
                    + "decides formats itself; name none")
        }
        let supported = formats.compactMap { $0.text?.lowercased() }
        guard !supported.isEmpty, !words.contains(where: { supported.contains($0.lowercased()) }),
            let first = ImageFormat(parsing: words[0])
        else { return }
        throw ErrorMapping.api(.unsupported(first), vdi: disk.vdi, srUUID: sr, supported: supported)
    }
}
