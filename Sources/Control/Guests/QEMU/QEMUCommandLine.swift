/// QEMU's arguments for a guest, and the descriptions of disks that start-up and hot-plug share. Pure.
///
/// Texts of clients appear only as values inside JSON objects, in `-name` and `-smbios` with commas doubled, and as the argument
/// of `-append`, `-kernel` and `-initrd`, which QEMU takes as they are. Descriptor 0 is the listening socket of the
/// monitor, descriptor 1 that of the console: bound by us, so neither has a limit on its path nor a moment in which it
/// is not there.
struct QEMUCommandLine {
    var specification: GuestSpecification
    /// The root port of each disk, by id (`RootPorts.assign`).
    var ports: [String: Int]
    /// The machine, its accelerator and processor, and whether it has a screen.
    var hardware: GuestHardware
    /// Path of the socket for VNC clients; nil: nobody sees the screen.
    var screen: String?
    /// The guest comes from another QEMU, when this one is told from where.
    var receives = false

    var arguments: [String] {
        var all = [
            "-name", "guest=\(Self.escaped(specification.name)),debug-threads=on",
            "-uuid", specification.uuid,
            "-machine", "\(hardware.machine),vmport=off",
            "-accel", hardware.isAccelerated ? "kvm" : "tcg,tb-size=256",
            "-cpu", hardware.processor,
            "-m", "size=\((specification.memoryBytes + (hardware.extraMemory ?? 0)) >> 10)K",
            "-smp", "\(specification.vcpus)",
            "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none", "-S",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny",
            "-chardev", "socket,id=qmp,fd=0,server=on,wait=off",
            "-mon", "chardev=qmp,mode=control",
            "-chardev", "socket,id=console,fd=1,server=on,wait=off",
            "-serial", "chardev:console",
            "-rtc", "base=utc",
        ]
        if specification.endsOnReboot == true { all += ["-action", "reboot=shutdown"] }
        all += FirmwareText.arguments(specification.firmwareTexts ?? [:])
        if receives { all += ["-incoming", "defer"] }
        if hardware.hasScreen, let screen {
            // Everyone who was let through to the socket may look on; none disconnects another.
            all += ["-vnc", "unix:\(screen.replacing(",", with: ",,")),share=force-shared"]
        }
        if hardware.hasScreen {
            all += ["-device", QMPValue.object(["driver": "VGA", "id": "screen", "bus": "pcie.0", "addr": "1"]).json]
        }
        for port in 0..<RootPorts.count { all += ["-device", Self.rootPort(port).json] }
        all += ["-device", QMPValue.object(["driver": "virtio-rng-pci", "id": "rng"]).json]
        for disk in specification.disks.sorted(by: { $0.position < $1.position }) {
            guard let port = ports[disk.id] else { continue }
            all += ["-blockdev", Self.node(disk, port: port).json]
            all += ["-device", Self.device(disk, port: port, boots: boots(disk)).json]
        }
        let drives = (specification.drives ?? []).sorted { $0.position < $1.position }
        if !drives.isEmpty {
            all += [
                "-device", QMPValue.object(["driver": "virtio-scsi-pci", "id": .string(GuestDrive.controller)]).json,
            ]
        }
        for (number, drive) in drives.enumerated() {
            if let disc = drive.disc { all += ["-blockdev", Self.node(disc, named: drive.node).json] }
            all += ["-device", device(drive, number: number).json]
        }
        if case .kernel(let kernel, let initrd, let arguments) = specification.boot {
            all += ["-kernel", kernel, "-append", arguments]
            if let initrd { all += ["-initrd", initrd] }
        }
        return all
    }

    private func boots(_ disk: GuestDisk) -> Bool {
        if case .disk = specification.boot { disk.bootable } else { false }
    }

    /// A drive, the `number`th of its bus. It has no disc unless `-blockdev` gives it one.
    private func device(_ drive: GuestDrive, number: Int) -> QMPValue {
        var members: [String: QMPValue] = [
            "driver": "scsi-cd",
            "id": .string(drive.device),
            "bus": .string(GuestDrive.bus),
            "scsi-id": .integer(Int64(number)),
            "serial": .string(drive.visibleSerial),
        ]
        if drive.disc != nil { members["drive"] = .string(drive.node) }
        if case .disk = specification.boot, drive.bootable { members["bootindex"] = .integer(Int64(drive.position)) }
        return .object(members)
    }

    /// The block node of a disc.
    static func node(_ disc: GuestDisc, named name: String) -> QMPValue {
        node(name, socket: disc.nbdSocket, export: disc.exportName, readOnly: true)
    }

    /// The block node of a disk, for `-blockdev` and `blockdev-add`. After the data path goes away its requests are
    /// held and repeated for up to 300 s; only then does the guest see an error.
    static func node(_ disk: GuestDisk, port: Int) -> QMPValue {
        node(RootPorts.node(port), socket: disk.nbdSocket, export: disk.exportName, readOnly: disk.readOnly)
    }

    private static func node(_ name: String, socket: String, export: String, readOnly: Bool) -> QMPValue {
        [
            "driver": "nbd",
            "node-name": .string(name),
            "server": ["type": "unix", "path": .string(socket)],
            "export": .string(export),
            "reconnect-delay": 300,
            "read-only": .bool(readOnly),
            "discard": "unmap",
            "detect-zeroes": "off",
            // The guest's flushes reach the server as NBD flushes.
            "cache": ["direct": true, "no-flush": false],
        ]
    }

    /// The virtio disk before that node, for `-device` and `device_add`. Errors are reported to the guest: a guest
    /// that QEMU stops on an error would wait for an administrator.
    static func device(_ disk: GuestDisk, port: Int, boots: Bool) -> QMPValue {
        var members: [String: QMPValue] = [
            "driver": "virtio-blk-pci",
            "id": .string(RootPorts.device(port)),
            "bus": .string(RootPorts.name(port)),
            "drive": .string(RootPorts.node(port)),
            "serial": .string(disk.visibleSerial),
            "write-cache": "on",
            "werror": "report",
            "rerror": "report",
        ]
        if boots { members["bootindex"] = .integer(Int64(disk.position)) }
        return .object(members)
    }

    /// Eight ports are the functions of one device; slot 0 is the host bridge's, 1 is left free for graphics.
    private static func rootPort(_ port: Int) -> QMPValue {
        [
            "driver": "pcie-root-port",
            "id": .string(RootPorts.name(port)),
            "bus": "pcie.0",
            "addr": .string("\(2 + port / 8).\(port % 8)"),
            "multifunction": true,
            "chassis": .integer(Int64(port + 1)),
            "io-reserve": 0,
        ]
    }

    /// `text` as a value in a list of `key=value` pairs: control characters dropped, commas doubled, 200 characters.
    static func escaped(_ text: String) -> String {
        let visible = text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(200)
        return visible.reduce(into: "") { $0 += $1 == "," ? ",," : String($1) }
    }
}
