import APITypes
import PoolDatabase

/// What the rows around a VM say while its guest runs: its metrics, what is known of its inside, its consoles.
enum GuestRows {
    /// The guest runs. `since`: when it was started; nil when it was found running and the row may know better.
    static func started(_ vm: Ref<VM>, since: Int64?, hasScreen: Bool, consoleBase: String, in tx: Transaction) throws {
        let row = try tx.require(vm)
        let now = APIDate(seconds: WallClock.seconds)
        let metrics = try metrics(of: vm, in: tx)
        if let since { try tx.set(metrics, VMMetrics.startTime, APIDate(seconds: since)) }
        try tx.set(metrics, VMMetrics.memoryActual, HostMemory.configured(row))
        try tx.set(metrics, VMMetrics.vcpusNumber, max(1, row[VM.vcpusAtStartup]))
        try tx.set(metrics, VMMetrics.state, ["running"])
        try tx.set(metrics, VMMetrics.hvm, true)
        try tx.set(metrics, VMMetrics.currentDomainType, .hvm)
        try tx.set(metrics, VMMetrics.lastUpdated, now)
        try noteInside(vm, row, at: now, in: tx)
        try showConsoles(vm, hasScreen: hasScreen, base: consoleBase, in: tx)
    }

    /// The guest has ended.
    static func halted(_ vm: Ref<VM>, in tx: Transaction) throws {
        let row = try tx.require(vm)
        let metrics = row[VM.metrics]
        if tx.row(metrics) != nil {
            try tx.set(metrics, VMMetrics.memoryActual, 0)
            try tx.set(metrics, VMMetrics.vcpusNumber, 0)
            try tx.set(metrics, VMMetrics.state, [])
            try tx.set(metrics, VMMetrics.currentDomainType, .unspecified)
            try tx.set(metrics, VMMetrics.lastUpdated, APIDate(seconds: WallClock.seconds))
        }
        forget(row, in: tx)
        try tx.set(vm, VM.guestMetrics, .null)
    }

    /// Removes what only a running guest has.
    static func forget(_ vm: Row, in tx: Transaction) {
        tx.delete(vm[VM.guestMetrics])
        for console in vm[VM.consoles] { tx.delete(console) }
    }

    static func metrics(of vm: Ref<VM>, in tx: Transaction) throws -> Ref<VMMetrics> {
        let known = try tx.require(vm)[VM.metrics]
        if tx.row(known) != nil { return known }
        let ref = Ref<VMMetrics>.new()
        tx.insert(VMMetrics.self, ref: ref) { _ in }
        try tx.set(vm, VM.metrics, ref)
        return ref
    }

    /// No program inside the guest talks to us: its system, its addresses and the use of its memory are not known, and the
    /// row says so.
    private static func noteInside(_ vm: Ref<VM>, _ row: Row, at now: APIDate, in tx: Transaction) throws {
        if tx.row(row[VM.guestMetrics]) != nil { return }
        let ref = Ref<VMGuestMetrics>.new()
        tx.insert(VMGuestMetrics.self, ref: ref) { inside in
            inside[VMGuestMetrics.other] = ["guest-agent": "none"]
            inside[VMGuestMetrics.lastUpdated] = now
            inside[VMGuestMetrics.live] = false
        }
        try tx.set(vm, VM.guestMetrics, ref)
    }

    private static func showConsoles(_ vm: Ref<VM>, hasScreen: Bool, base: String, in tx: Transaction) throws {
        var wanted: Set<ConsoleProtocol> = hasScreen ? [.rfb, .vt100] : [.vt100]
        for console in try tx.require(vm)[VM.consoles] {
            guard let row = tx.row(console), wanted.remove(row[XenConsole.protocol]) != nil else {
                tx.delete(console)
                continue
            }
            try tx.set(console, XenConsole.location, location(base, row[XenConsole.uuid]))
        }
        for kind in wanted.sorted(by: { $0.rawValue < $1.rawValue }) {
            let uuid = Fresh.uuid()
            tx.insert(XenConsole.self, ref: .new()) { row in
                row[XenConsole.uuid] = uuid
                row[XenConsole.protocol] = kind
                row[XenConsole.location] = location(base, uuid)
                row[XenConsole.vm] = vm
            }
        }
    }

    static func location(_ base: String, _ uuid: String) -> String { "\(base)/console?uuid=\(uuid)" }
}
