import Synchronization

// What another QEMU must be for the guest, as this one says itself: the record of an older version does not have it.
extension Guest {
    func passport() async throws(GuestError) -> GuestPassport {
        let type = try await monitor.execute("qom-get", ["path": "/machine", "property": "type"]).text ?? ""
        let isAccelerated = try await monitor.execute("query-kvm")["enabled"]?.bool ?? false
        let devices = try await monitor.execute("qom-list", ["path": "/machine/peripheral"]).elements ?? []
        let memory = try await monitor.execute("query-memory-size-summary")["base-memory"]?.integer ?? 0
        let (record, isPaused) = state.withLock { ($0.record, $0.phase == .paused) }
        return GuestPassport(
            specification: record.specification, ports: record.ports,
            hardware: GuestHardware(
                machine: Self.name(type, of: "-machine"), processor: try await processor(),
                isAccelerated: isAccelerated, traits: isAccelerated ? ProcessorTraits.current() : nil,
                hasScreen: devices.contains { $0["name"]?.text == "screen" },
                extraMemory: Self.extra(UInt64(clamping: memory), of: record.specification.memoryBytes)),
            isPaused: isPaused)
    }

    /// Nil where the memory is of whole MiB, as other versions give it.
    private static func extra(_ bytes: UInt64, of given: UInt64) -> UInt64? {
        let (more, isLess) = bytes.subtractingReportingOverflow(given)
        return isLess || more == 0 ? nil : more
    }

    private func processor() async throws(GuestError) -> String {
        let all = try await monitor.execute("query-cpus-fast").elements ?? []
        guard let path = all.first?["qom-path"]?.text else {
            throw GuestError(.protocolViolation, "QEMU names no processor of the guest")
        }
        let type = try await monitor.execute("qom-get", ["path": .string(path), "property": "type"]).text ?? ""
        return Self.name(type, of: "-x86_64-cpu")
    }

    /// The name in a type of QEMU's object model: `pc-q35-7.2-machine`.
    private static func name(_ type: String, of suffix: String) -> String {
        type.hasSuffix(suffix) ? String(type.dropLast(suffix.count)) : type
    }
}
