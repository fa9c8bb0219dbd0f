import APITypes
import PoolDatabase

/// What the toolstack and its clients leave for administrators to read: objects of class `message`. They are rows of the
/// database like others, so that `event.from` shows them; the oldest go when there are too many, whenever they came.
enum Alerts {
    /// Messages kept.
    static let limit = 10_000
    /// Bytes of a name and of a body.
    static let longestName = 1024
    static let longestBody = 64 << 10

    /// Names and priorities that XenAPI's clients know.
    struct Kind: Sendable {
        let name: String
        let priority: Int64

        static let started = Kind(name: "VM_STARTED", priority: 5)
        static let shutDown = Kind(name: "VM_SHUTDOWN", priority: 5)
        static let suspended = Kind(name: "VM_SUSPENDED", priority: 5)
        static let migrated = Kind(name: "VM_MIGRATED", priority: 5)
        static let resumed = Kind(name: "VM_RESUMED", priority: 5)
        static let rebooted = Kind(name: "VM_REBOOTED", priority: 5)
        static let crashed = Kind(name: "VM_CRASHED", priority: 3)
        static let trackingLost = Kind(name: "VDI_CBT_METADATA_INCONSISTENT", priority: 3)
        static let unknownImageFormat = Kind(name: "SM_UNKNOWN_IMAGE_FORMAT", priority: 4)
    }

    /// Adds a message within a transaction that does something else, too. `known`: what it is and when it was written, of one that
    /// comes from elsewhere.
    @discardableResult
    static func post(
        _ kind: Kind, about target: MessageTargetClass, uuid: String, body: String, in tx: Transaction,
        as known: (uuid: String, time: APIDate)? = nil
    ) -> Ref<XenMessage> {
        let ref = Ref<XenMessage>.new()
        tx.insert(XenMessage.self, ref: ref) { row in
            row[XenMessage.name] = kind.name
            row[XenMessage.priority] = kind.priority
            row[XenMessage.cls] = target
            row[XenMessage.objUUID] = uuid
            row[XenMessage.timestamp] = known?.time ?? APIDate(seconds: WallClock.seconds)
            if let known { row[XenMessage.uuid] = known.uuid }
            row[XenMessage.body] = body
        }
        // Not at every message: to find the oldest costs a look at all.
        if tx.count(className: XenMessage.className) > limit + limit / 100 { trim(tx) }
        return ref
    }

    static func trim(_ tx: Transaction, to most: Int = limit) {
        let rows = tx.rows(XenMessage.self)
        // One of the future, from elsewhere or of a clock that was set back, is as old as its place.
        let now = WallClock.seconds
        let ages = rows.enumerated().map { (time: min($1[XenMessage.timestamp].seconds, now), place: $0) }
        for age in ages.sorted(by: { $0 < $1 }).prefix(max(0, rows.count - most)) {
            tx.delete(rows[age.place].typedRef(XenMessage.self))
        }
    }

    /// The class of the objects that messages of `target` are about.
    static func className(of target: MessageTargetClass) -> String {
        switch target {
        case .vm: VM.className
        case .host: Host.className
        case .sr: SR.className
        case .pool: Pool.className
        case .vmpp: VMPP.className
        case .vmss: VMSS.className
        case .pvsProxy: PVSProxy.className
        case .vdi: VDI.className
        case .certificate: Certificate.className
        }
    }
}
