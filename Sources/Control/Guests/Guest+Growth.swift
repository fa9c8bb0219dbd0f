/// Disks that grow under a running guest.
extension Guest {
    /// The disk's server has a larger disk now and has cut QEMU's connection: QEMU connects again, learns the size, and tells
    /// the guest.
    func grow(diskID: String, to size: UInt64) async throws(GuestError) {
        try requireSettled("telling the guest of a larger disk")
        guard let port = specification.disks.contains(where: { $0.id == diskID }) ? self.port(of: diskID) : nil else {
            // A disc in a drive, or a disk that is gone: neither grows.
            return
        }
        let node = QMPValue.string(RootPorts.node(port))
        for attempt in 1...10 {
            // QEMU notices a cut connection by the next request alone, and an idle guest may make none for hours. There is no
            // command for it but this one of the human monitor: one sector is read and dropped.
            try await monitor.execute(
                "human-monitor-command", ["command-line": .string("qemu-io \(RootPorts.node(port)) \"read 0 512\"")])
            do throws(GuestError) {
                try await monitor.execute("block_resize", ["node-name": node, "size": .integer(Int64(clamping: size))])
                return
            } catch  where error.code == .refused && attempt < 10 {
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
