import APITypes
import Foundation
import PoolDatabase
import StorageMotion

/// VM.get_peer_moves and VM.settle_peer_move: what an administrator has when another pool cannot be asked any more.
struct PeerMoveMessages: Sendable {
    let database: PoolDatabase
    let departures: Departures
    let arrivals: Arrivals

    /// A move, for people and programs to read. The names of its members are an interface.
    private struct Listed: Encodable {
        let move: String
        /// `departure` or `arrival`.
        let direction: String
        /// The machine's uuid here.
        let vm: String
        /// Host and port, or what the other side calls itself.
        let peer: String
        let phase: String
        /// Why it was given up.
        let failure: String?
        let isCopy: Bool
        /// uuids of VDIs of this pool.
        let disks: [String]
    }

    func register(in table: inout MessageTable) {
        table.on("VM.get_peer_moves") { _, _ in .string(try list()) }
        table.on("VM.settle_peer_move") { _, arguments in
            let (id, word): (String, String) = (try arguments.get(0), try arguments.get(1))
            guard let decision = PeerMoveDecision(rawValue: word) else {
                throw APIError("INVALID_VALUE", "decision", word)
            }
            if database.departures().contains(where: { $0.id == id }) {
                try await departures.decide(id, decision)
            } else {
                try await arrivals.decide(id, decision)
            }
            return .void
        }
    }

    private func list() throws -> String {
        let out = database.departures().map { machine in
            Listed(
                move: machine.id, direction: "departure", vm: machine.uuid,
                peer: "\(machine.place.host):\(machine.place.port)", phase: machine.state.phase.rawValue,
                failure: machine.state.failure, isCopy: machine.isCopy, disks: machine.disks.map(\.uuid))
        }
        let back = database.arrivals().map { machine in
            Listed(
                move: machine.id, direction: "arrival", vm: machine.uuid, peer: machine.offer?.origin ?? "",
                phase: machine.state.phase.rawValue, failure: nil, isCopy: machine.offer?.isCopy ?? false,
                disks: machine.disks.map(\.uuid))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(out + back), as: UTF8.self)
    }
}

/// An administrator's word about a move whose other side cannot be asked. It is for him to know what became of that.
enum PeerMoveDecision: String, Sendable {
    /// The machine is this pool's.
    case here
    /// It is the other pool's.
    case there
    /// It is decided already, and the other side need not hear of it. Of what was still coming, the disks that are here stay, as
    /// disks like any other.
    case forget
}
