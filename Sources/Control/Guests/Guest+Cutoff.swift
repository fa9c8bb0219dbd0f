// Disks that are taken from a running guest, whatever it does.
extension Guest {
    /// Waits until the guest has let go of the disk, at most `limit`, and then takes it: QEMU's connection to the disk's
    /// server is cut for good, what the guest has asked of the disk and still asks fails with an I/O error, and QEMU drops
    /// nothing later on, because it cannot connect again. The guest's device stays until the guest lets go of it; its port is
    /// not given to another disk before.
    func cutOff(diskID: String, atMost limit: Duration) async throws(GuestError) {
        try requireSettled("taking a disk")
        do throws(GuestError) {
            try await unplug(diskID: diskID, atMost: limit)
            return
        } catch  where [.notRunning, .disconnected, .invalidSpecification].contains(error.code) {
            throw error
        } catch {
            // It does not let go.
        }
        // QEMU flushes what the guest has written before it is handed over: that must not fail.
        try requireSettled("taking a disk")
        guard let port = port(of: diskID) else { return }
        let connection = QMPValue.object([
            "type": .string("block-node"), "node-name": .string(RootPorts.node(port)),
        ])
        try await monitor.execute("yank", ["instances": .array([connection])])
        try change { record in
            record.remove(disk: diskID)
            record.abandoned = (record.abandoned ?? []) + [port]
        }
    }

    /// Gives back the ports of disks that were cut off and that the guest has let go of since.
    func freeAbandonedPorts() async {
        for port in abandonedPorts {
            guard let exists = try? await deviceExists(port), !exists else { continue }
            let node = RootPorts.node(port)
            do {
                try await monitor.execute("blockdev-del", ["node-name": .string(node)])
            } catch {
                // One that is not there any more is as good as deleted. Another would be in the next disk's way.
                guard let nodes = try? await nodes(), !nodes.contains(node) else { continue }
            }
            try? change { $0.abandoned?.removeAll { $0 == port } }
        }
    }
}
