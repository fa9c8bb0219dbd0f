extension GuestSpecification {
    /// Throws `.invalidSpecification` for what QEMU cannot be told, or must not be told by a client.
    func check() throws(GuestError) {
        func require(_ condition: Bool, _ message: String) throws(GuestError) {
            if !condition { throw GuestError(.invalidSpecification, message, guest: uuid) }
        }
        try require(GuestFolder.isPlain(uuid), "a guest's uuid is 1 to 64 letters, digits and '-'")
        try require((16 << 20...16 << 40).contains(memoryBytes), "memory must be between 16 MiB and 16 TiB")
        try require((1...255).contains(vcpus), "a guest has 1 to 255 virtual processors")
        if case .kernel(let kernel, let initrd, let arguments) = boot {
            for text in [kernel, initrd ?? "/", arguments] {
                try require(!text.utf8.contains(0), "a boot parameter holds a NUL character")
            }
            try require(kernel.hasPrefix("/") && initrd?.hasPrefix("/") ?? true, "boot files need absolute paths")
            try require(arguments.utf8.count < 2048, "a kernel command line has at most 2047 bytes")
        }
        for (name, text) in firmwareTexts ?? [:] {
            try require(
                FirmwareText.isValid(name, text),
                "the firmware text \(name.prefix(64)) is none, or not 1 to \(FirmwareText.longest) printable characters"
            )
        }
        for disk in disks { try disk.check() }
        for drive in drives ?? [] { try drive.check() }
        let ids = disks.map(\.id) + (drives ?? []).map(\.id)
        let positions = disks.map(\.position) + (drives ?? []).map(\.position)
        try require(Set(ids).count == ids.count, "two disks have the same id")
        try require(Set(positions).count == positions.count, "two disks have the same position")
    }
}

extension GuestDisk {
    func check() throws(GuestError) {
        func require(_ condition: Bool, _ message: String) throws(GuestError) {
            if !condition { throw GuestError(.invalidSpecification, "disk \(id.prefix(64)): \(message)") }
        }
        try require(GuestFolder.isPlain(id), "its id is not 1 to 64 letters, digits and '-'")
        try require(nbdSocket.hasPrefix("/") && !nbdSocket.utf8.contains(0), "its socket needs an absolute path")
        try require(
            nbdSocket.utf8.count <= 107,
            "the path of its socket has \(nbdSocket.utf8.count) bytes, above the kernel's limit of 107: "
                + "use a shorter runtime directory")
        try require(
            exportName.utf8.count <= 4096 && !exportName.utf8.contains(0), "its export's name is longer than 4096 bytes"
        )
        try require((0...255).contains(position), "its position is not within 0 and 255")
        try require(
            serial.map { $0.utf8.count <= Self.longestSerial && GuestFolder.isPlain($0) } ?? true,
            "its serial number is not 1 to \(Self.longestSerial) letters and digits")
    }

    /// virtio has room for this many bytes.
    static let longestSerial = 20

    /// The start of the uuid names the disk in the guest's /dev/disk/by-id.
    var visibleSerial: String { serial ?? String(id.filter { $0 != "-" }.prefix(Self.longestSerial)) }
}
