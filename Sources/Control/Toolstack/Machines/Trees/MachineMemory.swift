import APITypes
import PoolDatabase

/// What lets a suspended machine go on where it was: the image of its memory, and what is known of the guest in it.
struct MachineMemory: Sendable {
    var image: Ref<VDI>
    /// Nil: nothing is known of it.
    var guest: SuspendedGuest?

    init(image: Ref<VDI>, guest: SuspendedGuest?) { (self.image, self.guest) = (image, guest) }

    /// Nil for a machine that is not suspended.
    init?(of machine: Row, _ reader: any DatabaseReader) {
        guard machine[VM.powerState] == .suspended else { return nil }
        self.init(image: machine[VM.suspendVDI], guest: SuspendedGuest.of(machine.typedRef(VM.self), reader))
    }

    /// The same in the image's copy; nil where there is none.
    func moved(_ copies: [Ref<VDI>: Ref<VDI>]) -> MachineMemory? {
        copies[image].map { MachineMemory(image: $0, guest: guest) }
    }

    /// The machine, which is halted, becomes Suspended with it. `drives`: the uuids of its VBDs, by those of the VBDs that the guest
    /// was saved with.
    func give(to vm: Ref<VM>, drives: [String: String], in tx: Transaction) throws {
        try tx.set(vm, VM.powerState, .suspended)
        try tx.set(vm, VM.suspendVDI, image)
        try guest?.renamed(drives).write(of: vm, in: tx)
    }
}
