import APITypes
import Foundation
import Guests
import PoolDatabase

/// What a suspended VM's guest has, besides its image: a private record by the VM's reference, written in the transaction that makes
/// the VM Suspended and read for as long as it is.
///
/// A VM that came suspended from elsewhere may have none. Then its image is believed as it is, and what it says of the guest's drives
/// is noted when the VM is resumed first.
struct SuspendedGuest: Codable, Sendable, Hashable {
    /// The uuids of the VBDs that were plugged: those are what the guest finds again, whatever else the VM has been given since.
    var vbds: Set<String>
    /// SHA-256 of the image's head, the description of the guest included, and of all of it, hexadecimal. Nil: not known.
    var head: String?
    var sum: String?

    static let kind = "suspended-guest"

    init(vbds: Set<String>, head: String? = nil, sum: String? = nil) {
        (self.vbds, self.head, self.sum) = (vbds, head, sum)
    }

    /// Of an image that nothing is known of: the guest's drives are where it had them.
    init(of saved: GuestSpecification, among vbds: [Row]) {
        let (disks, drives) = (Set(saved.disks.map(\.position)), Set((saved.drives ?? []).map(\.position)))
        let its = vbds.filter { vbd in
            (vbd[VBD.type] == .cd ? drives : disks).contains(Int(vbd[VBD.userdevice]) ?? -1)
        }
        self.init(vbds: Set(its.map { $0[VBD.uuid] }))
    }

    static func of(_ vm: Ref<VM>, _ reader: any DatabaseReader) -> SuspendedGuest? {
        guard let text = reader.privateRecords(kind: kind)[vm.opaque] else { return nil }
        return try? JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }

    func write(of vm: Ref<VM>, in tx: Transaction) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        tx.setPrivate(kind: Self.kind, key: vm.opaque, value: text)
    }

    static func remove(of vm: Ref<VM>, in tx: Transaction) { tx.setPrivate(kind: kind, key: vm.opaque, value: nil) }

    /// A suspended VM is known to have had the VBD plugged. False for others, and where it is not known.
    static func isKnown(toHave vbd: Row, _ reader: any DatabaseReader) -> Bool {
        let vm = vbd[VBD.vm]
        guard reader.row(vm)?[VM.powerState] == .suspended else { return false }
        return of(vm, reader)?.vbds.contains(vbd[VBD.uuid]) ?? false
    }

    /// That of a copy of the machine, whose VBDs have these uuids.
    func renamed(_ drives: [String: String]) -> SuspendedGuest {
        SuspendedGuest(vbds: Set(vbds.compactMap { drives[$0] }), head: head, sum: sum)
    }

    /// Throws for an image whose head, or all of it, has another sum than what the guest was saved with.
    func check(head found: [UInt8]) throws(SuspendImage.Damage) { try Self.compare(found, head) }
    func check(sum found: [UInt8]) throws(SuspendImage.Damage) { try Self.compare(found, sum) }

    private static func compare(_ found: [UInt8], _ known: String?) throws(SuspendImage.Damage) {
        guard let known, known != hex(found) else { return }
        throw SuspendImage.Damage(description: "its suspend image is not the one that it was suspended into")
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
