import APITypes
import XenAPIClient

/// Content that leaves a disk and comes back, for each repository and format.
enum TransferCases {
    static func all(at place: Place) -> [QuickCase] {
        // Every XenAPI server transfers raw and VHD.
        let qcow2 = [Need(thing: .format("qcow2"), repository: place.repository)]
        return [(DiskFormat.raw, []), (.vhd, []), (.qcow2, qcow2)].map { format, needs in
            QuickCase(name: "export and import as \(format.rawValue) [\(place)]", needs: needs) {
                try await roundTrip($0, place, format)
            }
        } + increments(at: place) + [QuickCase(name: "NBD [\(place)]", needs: []) { try await overNetwork($0, place) }]
    }

    /// A disk that is filled from another one's image has its content.
    private static func roundTrip(_ bench: DiskBench, _ place: Place, _ format: DiskFormat) async throws {
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        let image = bench.settings.folder.fresh(format.rawValue)
        defer { bench.settings.folder.remove(image) }
        try await bench.session.exportDisk(disk, format: format, to: image)
        try await bench.destroy(disk)
        let other = try await bench.makeDisk(at: place)
        try await bench.session.importDisk(from: image, format: format, into: other)
        try await bench.expect(bench.pattern(1), on: other, "the disk made of the image")
    }

    private static func increments(at place: Place) -> [QuickCase] {
        [DiskFormat.vhd, .qcow2].map { format in
            var needs = [Need(thing: .feature("VDI_SNAPSHOT"), repository: place.repository)]
            if format == .qcow2 { needs.append(Need(thing: .format("qcow2"), repository: place.repository)) }
            return QuickCase(name: "increment as \(format.rawValue) [\(place)]", needs: needs) {
                try await increment($0, place, format)
            }
        }
    }

    /// A full copy, and over it what has changed since: what restores and replications are made of.
    private static func increment(_ bench: DiskBench, _ place: Place, _ format: DiskFormat) async throws {
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        let base = try await bench.adopt(try await bench.session.vdi.snapshot(disk))
        try await bench.write(bench.pattern(2), to: disk)
        let image = bench.settings.folder.fresh(format.rawValue)
        defer { bench.settings.folder.remove(image) }
        try await bench.session.exportDisk(disk, format: format, changedSince: base, to: image)
        let other = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: other)
        try await bench.session.importDisk(from: image, format: format, into: other)
        try await bench.expect(bench.pattern(2), on: other, "the disk after the increment")
    }

    /// The endpoint's NBD server shows the same as its exports.
    private static func overNetwork(_ bench: DiskBench, _ place: Place) async throws {
        let disk = try await bench.makeDisk(at: place)
        try await bench.write(bench.pattern(1), to: disk)
        let servers: [VDINBDServerInfoRecord]
        do {
            servers = try await bench.session.vdi.getNBDInfo(disk)
        } catch let failure as XenAPIFailure where failure.meansNoSuchCall {
            throw Skip("the endpoint does not have VDI.get_nbd_info (\(failure.code))")
        }
        guard let server = servers.first else {
            throw Skip("VDI.get_nbd_info names no server: no network of the endpoint has the purpose nbd")
        }
        let size = try await bench.size(of: disk)
        try await NetworkExport.compare(server, with: bench.pattern(1), size: size, folder: bench.settings.folder)
    }
}
