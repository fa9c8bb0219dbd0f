/// A disk of 16 MiB in a VHD repository, in use and with data in it, and a qcow2 repository to move it to.
struct MovableDisk {
    let a, b: (ref: String, path: String)
    let vdi: String
    let plugged: (vbd: String, socket: String)
    let writer: DiskWriter

    init(_ toolstack: RunningToolstack, filled: Int, seed: UInt64) async throws {
        a = try await toolstack.makeRepository("a", formats: "vhd")
        b = try await toolstack.makeRepository("b", formats: "qcow2")
        vdi = try await toolstack.makeDisk(in: a.ref, bytes: 16 << 20, format: "vhd")
        plugged = try await toolstack.plugHere(vdi)
        writer = try DiskWriter(socket: plugged.socket, filled: filled, seed: seed)
    }
}
