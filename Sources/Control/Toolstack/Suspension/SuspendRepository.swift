import APITypes
import PoolDatabase

/// Where a VM's memory goes when it is suspended.
enum SuspendRepository {
    /// The VM's `suspend_SR`, else the pool's `suspend_image_SR`, else the host's `suspend_image_sr`, else the pool's default SR: the
    /// first that there is. VM_NO_SUSPEND_SR [vm].
    static func choose(for vm: Ref<VM>, on host: Ref<Host>, _ reader: any DatabaseReader) throws(APIError) -> Ref<SR> {
        let pool = reader.rows(Pool.self).first
        let wishes = [
            try reader.require(vm)[VM.suspendSR], pool?[Pool.suspendImageSR],
            reader.row(host)?[Host.suspendImageSR], pool?[Pool.defaultSR],
        ]
        guard let sr = wishes.compactMap({ $0 }).first(where: { reader.row($0) != nil }) else {
            throw APIError("VM_NO_SUSPEND_SR", vm.opaque)
        }
        return sr
    }
}
