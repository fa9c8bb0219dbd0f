import APITypes
import Foundation
import PoolDatabase

/// What a VM's suspension or resumption has in hand, kept in the database (private records, by the reference of the image) from before
/// its first effect until after its last: whoever starts after a crash finishes it, or takes it back.
///
/// The commits are one transaction each: `saving` → `saved` with the VM becoming Suspended, `loading` → `loaded` with its becoming
/// Running. Before the first the guest, which QEMU holds, is the VM, after it the image; before the second the image, which
/// nothing has changed, is the VM, after it the guest.
struct SuspensionNote: Codable, Sendable, Hashable {
    enum Phase: String, Codable, Sendable, CaseIterable {
        case saving, saved, loading, loaded
        /// The image is no VM's memory, and goes.
        case spent
    }

    var phase: Phase
    /// The VM's uuid.
    var vm: String

    static let kind = "suspension"

    static func all(_ reader: any DatabaseReader) -> [Ref<VDI>: SuspensionNote] {
        var all: [Ref<VDI>: SuspensionNote] = [:]
        for (key, value) in reader.privateRecords(kind: kind) {
            all[Ref(key)] = try? JSONDecoder().decode(Self.self, from: Data(value.utf8))
        }
        return all
    }

    func write(of vdi: Ref<VDI>, in tx: Transaction) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        tx.setPrivate(kind: Self.kind, key: vdi.opaque, value: text)
    }

    /// A suspension begins: an image from which the VM was resumed before, or into which it was not suspended after all, and that is there
    /// still, is of no meaning any more. It must not decide about the guest beside the new one.
    static func spendOlder(of vm: String, in tx: Transaction) throws {
        for (vdi, note) in all(tx) where note.vm == vm && [.loaded, .saving].contains(note.phase) {
            try SuspensionNote(phase: .spent, vm: vm).write(of: vdi, in: tx)
        }
    }

    /// The notes that decide about guests, at most one of each VM: what it was resumed from counts only where nothing newer does.
    static func deciding(_ notes: [Ref<VDI>: SuspensionNote]) -> [Ref<VDI>: SuspensionNote] {
        let newer = Set(notes.values.filter { [.saving, .saved, .loading].contains($0.phase) }.map(\.vm))
        return notes.filter { $0.value.phase != .spent && ($0.value.phase != .loaded || !newer.contains($0.value.vm)) }
    }

    static func remove(of vdi: Ref<VDI>, in tx: Transaction) { tx.setPrivate(kind: kind, key: vdi.opaque, value: nil) }

    /// What is to become of the guest, when it is found between two QEMUs or QEMU and image (`GuestPassage`).
    enum Fate: Sendable, Hashable { case letGo, takeOver, end, nothing }

    static func fate(_ phase: Phase, isOnItsWay: Bool) -> Fate {
        if !isOnItsWay { return .nothing }
        return switch phase {
        case .saving: .letGo
        case .saved, .loading: .end
        case .loaded: .takeOver
        case .spent: .nothing
        }
    }

    /// Whether the image goes once that is decided.
    var leavesNoImage: Bool { phase == .saving || phase == .loaded || phase == .spent }
}
