public import APITypes
import CLinux
import Glibc
import Guests
import PoolDatabase
import Synchronization

/// Ways to guests' consoles: from what a client names to a connected socket.
public final class ConsoleAccess: Sendable {
    private let database: PoolDatabase
    private let guests: GuestHost
    private let host: Ref<Host>
    private let url = Mutex("")

    init(database: PoolDatabase, guests: GuestHost, host: Ref<Host>) {
        self.database = database
        self.guests = guests
        self.host = host
    }

    /// Where clients reach the API, as the rows of consoles tell it: `https://ADDRESS[:PORT]`.
    var base: String {
        let known = url.withLock { $0 }
        if !known.isEmpty { return known }
        let address = database.read { $0.row(host)?[Host.address] ?? "" }
        return "https://\(address)"
    }

    /// The API answers at `url` (an address that stands for all is replaced by the host's own): the consoles that there
    /// are say so.
    public func announce(_ url: String) async throws {
        let address = database.read { $0.row(host)?[Host.address] ?? "" }
        var known = url
        for any in ["0.0.0.0", "[::]"] { known = known.replacing("://\(any)", with: "://\(address)") }
        self.url.withLock { $0 = known }
        let base = known
        try await database.transaction { tx in
            for row in tx.rows(XenConsole.self) {
                try tx.set(
                    row.typedRef(XenConsole.self), XenConsole.location, GuestRows.location(base, row[XenConsole.uuid]))
            }
        }
    }

    /// Connects to the console that `ref` or `uuid` names: a console, or a VM, which stands for its screen. The caller
    /// closes the descriptor. Throws HANDLE_INVALID, UUID_INVALID, VM_BAD_POWER_STATE, INTERNAL_ERROR.
    public func connect(ref: String?, uuid: String?) throws(APIError) -> Int32 {
        let (vm, kind) = try find(ref: ref, uuid: uuid)
        guard vm[VM.powerState] != .halted, guests.state(vm[VM.uuid]) != nil else {
            throw APIError("VM_BAD_POWER_STATE", vm.ref, "running", vm[VM.powerState].rawValue.lowercased())
        }
        let path = kind == .vt100 ? guests.consolePath(vm[VM.uuid]) : guests.screenPath(vm[VM.uuid])
        guard let path else { throw .internalError("the VM \(vm[VM.uuid]) was started without a screen") }
        // Not waiting: QEMU accepts one client of a serial console at a time, and may accept none at all.
        // SAFETY: the C string lives for the call.
        let descriptor = unsafe path.withCString { unsafe gantry_unix_connect_at_once($0) }
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(-descriptor))
            throw .internalError("the console of the VM \(vm[VM.uuid]) does not answer: \(reason)")
        }
        return descriptor
    }

    private func find(ref: String?, uuid: String?) throws(APIError) -> (vm: Row, kind: ConsoleProtocol) {
        let found = database.read { reader -> (Row, ConsoleProtocol)? in
            let console = ref.map { reader.row(Ref<XenConsole>($0)) } ?? reader.find(XenConsole.self, uuid: uuid ?? "")
            if let console {
                return reader.row(console[XenConsole.vm]).map { ($0, console[XenConsole.protocol]) }
            }
            let vm = ref.map { reader.row(Ref<VM>($0)) } ?? reader.find(VM.self, uuid: uuid ?? "")
            return vm.map { ($0, .rfb) }
        }
        guard let found else {
            throw ref.map { .handleInvalid(XenConsole.className, $0) }
                ?? .uuidInvalid(XenConsole.className, uuid ?? "")
        }
        return found
    }
}
