/// Discs in the drives of a running guest.
///
/// The record names a disc from before QEMU has it until after QEMU has let go of it: a daemon that finds the guest again
/// looks which of them are there, and no disc is in a drive that the record does not know of.
extension Guest {
    func insert(_ disc: GuestDisc, into id: String) async throws(GuestError) {
        try requireSettled("inserting a disc")
        var drive = try drive(id)
        drive.disc = disc
        try drive.check()
        try await eject(id)
        try record(disc, in: id)
        do throws(GuestError) {
            try await monitor.execute("blockdev-add", QEMUCommandLine.node(disc, named: drive.node))
            try await load(drive)
        } catch {
            // Whatever got so far: QEMU has closed the disc, or the record goes on naming it.
            try? await eject(id)
            throw error
        }
    }

    func eject(_ id: String) async throws(GuestError) {
        try requireSettled("ejecting a disc")
        let drive = try drive(id)
        try await open(drive)
        // The tray is shut again so that a drive looks the same whenever it is empty.
        _ = try? await monitor.execute("blockdev-close-tray", ["id": .string(drive.device)])
        if try await nodes().contains(drive.node) {
            try await monitor.execute("blockdev-del", ["node-name": .string(drive.node)])
        }
        try record(nil, in: id)
    }

    /// Opens the tray and takes out what is in it. Who has locked the drive is asked first.
    private func open(_ drive: GuestDrive) async throws(GuestError) {
        for attempt in 0...6 {
            let arguments: QMPValue = ["id": .string(drive.device), "force": .bool(attempt == 6)]
            do throws(GuestError) {
                try await monitor.execute("eject", arguments)
                return
            } catch  where error.code == .refused && attempt < 6 {
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    /// A guest that looks into an open tray shuts it: then it is opened again.
    private func load(_ drive: GuestDrive) async throws(GuestError) {
        let device = QMPValue.string(drive.device)
        for attempt in 1...5 {
            try await monitor.execute("blockdev-open-tray", ["id": device, "force": true])
            do throws(GuestError) {
                try await monitor.execute("blockdev-insert-medium", ["id": device, "node-name": .string(drive.node)])
                break
            } catch  where error.code == .refused && attempt < 5 {
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        try await monitor.execute("blockdev-close-tray", ["id": device])
    }

    /// Drops discs from the record that QEMU does not have in their drives: the daemon died in the middle of a change.
    func forgetMissingDiscs() async {
        let drives = (specification.drives ?? []).filter { $0.disc != nil }
        if drives.isEmpty { return }
        guard let blocks = try? await monitor.execute("query-block").elements else { return }
        let loaded = Set(blocks.compactMap { $0["inserted"]?["node-name"]?.text })
        for drive in drives where !loaded.contains(drive.node) { try? await eject(drive.id) }
    }

    func nodes() async throws(GuestError) -> Set<String> {
        let list = try await monitor.execute("query-named-block-nodes", ["flat": true])
        return Set(list.elements?.compactMap { $0["node-name"]?.text } ?? [])
    }

    private func drive(_ id: String) throws(GuestError) -> GuestDrive {
        guard let drive = specification.drives?.first(where: { $0.id == id }) else {
            throw GuestError(.invalidSpecification, "the guest has no drive \(id)", guest: uuid)
        }
        return drive
    }

    private func record(_ disc: GuestDisc?, in id: String) throws(GuestError) {
        try change { record in
            for index in record.specification.drives?.indices ?? 0..<0
            where record.specification.drives?[index].id == id { record.specification.drives?[index].disc = disc }
        }
    }
}
