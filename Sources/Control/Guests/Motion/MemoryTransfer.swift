/// How far the sending of a guest's memory is.
public struct MemoryTransfer: Sendable, Hashable {
    /// QEMU's word for it: "setup", "active", "pre-switchover", "device", "completed", "failed", "cancelled" and others.
    public var status = ""
    /// Bytes of the guest's memory.
    public var totalBytes: UInt64 = 0
    /// Bytes that have not been sent in the state that they are in now.
    public var remainingBytes: UInt64 = 0
    /// Bytes that went into the stream.
    public var sentBytes: UInt64 = 0
    /// Bytes a second that the guest changes, as QEMU last measured it.
    public var dirtyBytesPerSecond: UInt64 = 0
    /// Bytes a second that went into the stream, as QEMU last measured it.
    public var bytesPerSecond: UInt64 = 0
    /// How often all that had changed was begun anew.
    public var rounds: UInt64 = 0
    /// Of the time, how much QEMU takes from the guest's processors so that it changes less, percent.
    public var throttledPercent = 0
    /// How long the guest would stand if the rest were sent now, and how long it stood once it was.
    public var expectedDowntime: Duration?
    public var downtime: Duration?
    public var elapsed: Duration = .zero
    /// Why it failed.
    public var error: String?

    public init() {}

    /// query-migrate's answer (MigrationInfo of QEMU's QMP reference).
    init(_ info: QMPValue) {
        func number(_ value: QMPValue?) -> UInt64 { UInt64(max(0, value?.integer ?? 0)) }
        func milliseconds(_ name: String) -> Duration? { info[name]?.integer.map { .milliseconds($0) } }
        status = info["status"]?.text ?? "none"
        let ram = info["ram"]
        totalBytes = number(ram?["total"])
        remainingBytes = number(ram?["remaining"])
        sentBytes = number(ram?["transferred"])
        let page = max(1, number(ram?["page-size"]))
        dirtyBytesPerSecond = number(ram?["dirty-pages-rate"]).multipliedReportingOverflow(by: page).partialValue
        rounds = number(ram?["dirty-sync-count"])
        if case .number(let rate)? = ram?["mbps"], rate.isFinite, rate > 0, rate < 1e12 {
            bytesPerSecond = UInt64(rate * 125_000)
        } else if let rate = ram?["mbps"]?.integer, (1...1_000_000_000).contains(rate) {
            bytesPerSecond = UInt64(rate) * 125_000
        }
        throttledPercent = Int(clamping: info["cpu-throttle-percentage"]?.integer ?? 0)
        expectedDowntime = milliseconds("expected-downtime")
        downtime = milliseconds("downtime")
        elapsed = milliseconds("total-time") ?? .zero
        error = info["error-desc"]?.text
    }
}

/// What the sending of a guest's memory may take. Changeable while it runs.
public struct MemoryTransferLimits: Codable, Sendable, Hashable {
    /// Nil: as fast as it goes.
    public var bytesPerSecond: UInt64?
    /// The guest is to stand no longer than this for the rest. QEMU goes on sending what changes until it expects that.
    public var downtime: Duration

    public init(bytesPerSecond: UInt64? = nil, downtime: Duration = .milliseconds(300)) {
        self.bytesPerSecond = bytesPerSecond
        self.downtime = downtime
    }

    /// QEMU has a limit in any case: 128 MiB a second unless it is told another.
    static let unlimited: Int64 = 1 << 42

    /// migrate-set-parameters' argument. QEMU takes downtimes of up to 2000 s.
    var parameters: QMPValue {
        let parts = downtime.components
        let milliseconds = min(max(0, parts.seconds), 2000) * 1000 + parts.attoseconds / 1_000_000_000_000_000
        let rate = bytesPerSecond.map { min(max(1, Int64(clamping: $0)), Self.unlimited) } ?? Self.unlimited
        return ["max-bandwidth": .integer(rate), "downtime-limit": .integer(min(max(1, milliseconds), 2_000_000))]
    }
}
