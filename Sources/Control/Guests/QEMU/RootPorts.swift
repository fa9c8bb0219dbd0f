/// The PCI Express root ports of every guest: one disk each, so that each can be plugged and unplugged by itself.
/// Linux names its disks in the order of the ports, hence a disk's port is its position whenever that is free.
enum RootPorts {
    static let count = 16

    static func name(_ port: Int) -> String { "port\(port)" }
    /// QEMU's names of the device and of the block node behind a port.
    static func device(_ port: Int) -> String { "disk\(port)" }
    static func node(_ port: Int) -> String { "node\(port)" }

    /// The port of the device that QEMU calls `name`; also accepts the path form `/machine/peripheral/disk3/…`.
    static func port(ofDevice name: String) -> Int? {
        let parts = name.split(separator: "/")
        return (0..<count).first { port in parts.contains { $0 == device(port) } }
    }

    /// The port for a disk at `position`: the one of that number, else the first free one, else nil.
    static func choose(position: Int, taken: some Collection<Int>) -> Int? {
        if (0..<count).contains(position), !taken.contains(position) { return position }
        return (0..<count).first { !taken.contains($0) }
    }

    /// Ports for all disks, in the order of their positions. Throws `.invalidSpecification` when there are too many.
    static func assign(_ disks: [GuestDisk]) throws(GuestError) -> [String: Int] {
        var ports: [String: Int] = [:]
        for disk in disks.sorted(by: { $0.position < $1.position }) {
            guard let port = choose(position: disk.position, taken: ports.values) else {
                throw GuestError(.invalidSpecification, "a guest has at most \(count) disks")
            }
            ports[disk.id] = port
        }
        return ports
    }
}
