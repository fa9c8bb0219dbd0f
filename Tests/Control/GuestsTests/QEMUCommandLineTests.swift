import Foundation
import TestSupport
import Testing

@testable import Guests

@Suite struct QEMUCommandLineTests {
    private func specification(_ change: (inout GuestSpecification) -> Void = { _ in }) -> GuestSpecification {
        var value = GuestSpecification(
            uuid: "5f2b1c3e-0000-4000-8000-000000000001", name: "guest", memoryBytes: 256 << 20, vcpus: 2,
            boot: .kernel(kernel: "/boot/vmlinuz", initrd: "/boot/initrd", arguments: "console=ttyS0"),
            disks: [GuestDisk(id: "vbd-a", nbdSocket: "/run/a.sock", exportName: "disk", position: 0)])
        change(&value)
        return value
    }

    private func arguments(_ specification: GuestSpecification) throws -> [String] {
        try specification.check()
        return QEMUCommandLine(
            specification: specification, ports: try RootPorts.assign(specification.disks),
            hardware: .fresh(isAccelerated: false, hasScreen: false, memoryBytes: specification.memoryBytes)
        ).arguments
    }

    private func json(_ text: String) throws -> QMPValue {
        try JSONDecoder().decode(QMPValue.self, from: Data(text.utf8))
    }

    /// QEMU before 9.0 loses pages of what it emulates itself and sends, unless it goes through them one by one.
    @Test func theMemoryOfAnEmulatedGuestIsNoWholeNumberOfBlocks() throws {
        func size(_ hardware: GuestHardware) -> String? {
            let all = QEMUCommandLine(specification: specification(), ports: ["vbd-a": 0], hardware: hardware).arguments
            return all.firstIndex(of: "-m").map { all[$0 + 1] }
        }
        func fresh(_ isAccelerated: Bool, _ bytes: UInt64 = 256 << 20) -> GuestHardware {
            .fresh(isAccelerated: isAccelerated, hasScreen: false, memoryBytes: bytes)
        }
        #expect(size(fresh(false)) == "size=262152K")
        #expect(size(fresh(true)) == "size=262144K")
        // QEMU gives whole steps of 8 KiB: what is less than one away from whole blocks gets one step more.
        let extras: [(UInt64, UInt64?)] = [
            (2_000_000_000, 3072), (256 << 20 - 8192, nil), (256 << 20 - 4096, 4096 + 8192), (256 << 20 + 8192, nil),
            (256 << 20 + 1, 8191),
        ]
        for (bytes, extra) in extras { #expect(fresh(false, bytes).extraMemory == extra, "\(bytes)") }
        // One that has come, or was suspended, with another memory keeps it.
        var hardware = GuestHardware(
            machine: "pc-q35-7.2", processor: "Nehalem", isAccelerated: false, hasScreen: false)
        #expect(size(hardware) == "size=262144K")
        // What QEMU rounds up is of any size.
        let cases: [(UInt64, Bool)] = [(8192, true), (1 << 20, true), (3071, true), (1 << 21, false), (.max, false)]
        for (extra, isFine) in cases {
            hardware.extraMemory = extra
            var isTaken = true
            do { try hardware.check() } catch { isTaken = false }
            #expect(isTaken == isFine, "\(extra)")
        }
    }

    /// A guest with a screen has a graphics card and one socket for it; a path is a value, whatever is in it.
    @Test func aScreenIsASocketAndAGraphicsCard() throws {
        let plain = try arguments(specification())
        #expect(!plain.contains("-vnc"))
        let shown = QEMUCommandLine(
            specification: specification(), ports: ["vbd-a": 0],
            hardware: .fresh(isAccelerated: false, hasScreen: true, memoryBytes: 0), screen: "/run/a,to=9/vnc.sock"
        ).arguments
        let place = try #require(shown.firstIndex(of: "-vnc"))
        #expect(shown[place + 1] == "unix:/run/a,,to=9/vnc.sock,share=force-shared")
        #expect(shown.count == plain.count + 4)
        let cards = try shown.filter { $0.hasPrefix("{") }.map(json).filter { $0["driver"]?.text == "VGA" }
        #expect(cards.map { $0["addr"]?.text } == ["1"])
    }

    /// CD drives share a controller of their own, in the order of their positions; a disc is only read.
    @Test func drivesAreThereWithAndWithoutDiscs() throws {
        let plain = try arguments(specification())
        let all = try arguments(
            specification { guest in
                guest.boot = .disk
                let disc = GuestDisc(nbdSocket: "/run/cd,a.sock", exportName: "disk")
                guest.drives = [
                    GuestDrive(id: "cd-b", position: 4, bootable: true, disc: disc),
                    GuestDrive(id: "cd-a", position: 3),
                ]
            })
        let devices = try all.filter { $0.hasPrefix("{") }.map(json)
        #expect(!plain.contains { $0.contains("virtio-scsi-pci") })
        #expect(devices.count { $0["driver"]?.text == "virtio-scsi-pci" } == 1)
        let drives = devices.filter { $0["driver"]?.text == "scsi-cd" }
        #expect(drives.map { $0["id"]?.text } == ["cd3", "cd4"])
        #expect(drives.map { $0["scsi-id"]?.integer } == [0, 1])
        #expect(drives.map { $0["drive"]?.text } == [nil, "disc4"])
        #expect(drives.map { $0["bootindex"]?.integer } == [nil, 4])
        let node = try #require(devices.first { $0["node-name"]?.text == "disc4" })
        #expect(node["read-only"]?.bool == true && node["server"]?["path"]?.text == "/run/cd,a.sock")
        #expect(throws: GuestError.self) {
            try specification { $0.drives = [GuestDrive(id: "vbd-a", position: 3)] }.check()
        }
        #expect(throws: GuestError.self) {
            try specification { $0.drives = [GuestDrive(id: "c", position: 0)] }.check()
        }
    }

    /// SMBIOS tables 0 to 3, each text under QEMU's key for it. A comma in a text is no end of it.
    @Test func theFirmwareSaysWhatItIsToldTo() throws {
        #expect(!(try arguments(specification()).contains("-smbios")))
        let texts = [
            "bios-vendor": "Maker", "bios-version": "1.0", "system-manufacturer": "A,file=/etc/shadow",
            "system-product-name": "-daemonize", "system-serial-number": ",,=", "baseboard-asset-tag": "t",
            "baseboard-location-in-chassis": "slot", "enclosure-asset-tag": "x y",
        ]
        let all = try arguments(specification { $0.firmwareTexts = texts })
        let given = all.indices.filter { all[$0] == "-smbios" }.map { all[$0 + 1] }
        #expect(
            given == [
                "type=0,vendor=Maker,version=1.0",
                "type=1,manufacturer=A,,file=/etc/shadow,product=-daemonize,serial=,,,,=",
                "type=2,asset=t,location=slot", "type=3,asset=x y",
            ])
        #expect(all.count == (try arguments(specification())).count + 8)
        for bad in [
            ["bios-vendor": ""], ["bios-vendor": "a\nb"], ["bios-vendor": "é"], ["file": "x"],
            ["bios-vendor": String(repeating: "x", count: 513)],
        ] {
            #expect(throws: GuestError.self) { try arguments(specification { $0.firmwareTexts = bad }) }
        }
    }

    /// What a client can name must never become an option, or another key of one.
    @Test(arguments: [
        "-daemonize", "a,process=evil", ",,", "x\",\"driver\":\"null-co", "{}", "'; rm -rf /", "a\nb\r\u{1b}[2J", "é🦀",
        "file.filename=/etc/shadow,readonly=off", "",
    ])
    func textsOfClientsStayValues(_ text: String) throws {
        let hostile = try arguments(
            specification {
                $0.name = text
                $0.boot = .kernel(kernel: "/" + text, initrd: "/-" + text, arguments: text)
                $0.disks[0].nbdSocket = "/" + text
                $0.disks[0].exportName = text
            })
        let plain = try arguments(specification())
        #expect(hostile.count == plain.count)
        let values = ["-append", "-kernel", "-initrd", "-name", "-blockdev"]
        for (index, pair) in zip(hostile, plain).enumerated() where index > 0 && !values.contains(plain[index - 1]) {
            #expect(pair.0 == pair.1)
        }
        func after(_ option: String) throws -> String {
            let index = try #require(plain.firstIndex(of: option))
            return hostile[index + 1]
        }
        #expect(try after("-append") == text)
        let node = try json(try after("-blockdev"))
        #expect(node["export"]?.text == text && node["server"]?["path"]?.text == "/" + text)
        #expect(node["driver"]?.text == "nbd" && node["cache"]?["no-flush"]?.bool == false)
        // QemuOpts: a comma ends a value unless it is doubled.
        let name = try after("-name")
        #expect(
            name.replacingOccurrences(of: ",,", with: "").components(separatedBy: ",") == [
                name.replacingOccurrences(of: ",,", with: "").components(separatedBy: ",")[0], "debug-threads=on",
            ])
    }

    @Test func disksFollowTheirPositionsAndSparePortsRemain() throws {
        let disks = [5, 0, 31, 1].map {
            GuestDisk(id: "vbd-\($0)", nbdSocket: "/run/\($0)", exportName: "d", position: $0, bootable: $0 == 1)
        }
        let ports = try RootPorts.assign(disks)
        #expect(ports == ["vbd-0": 0, "vbd-1": 1, "vbd-5": 5, "vbd-31": 2])
        let line = try arguments(
            specification {
                $0.disks = disks
                $0.boot = .disk
            })
        let devices = try line.indices.filter { line[$0] == "-device" }.map { try json(line[$0 + 1]) }
        #expect(devices.count { $0["driver"]?.text == "pcie-root-port" } == RootPorts.count)
        let blocks = devices.filter { $0["driver"]?.text == "virtio-blk-pci" }
        #expect(blocks.map { $0["bus"]?.text } == ["port0", "port1", "port5", "port2"])
        #expect(blocks.map { $0["bootindex"]?.integer } == [nil, 1, nil, nil])
        #expect(RootPorts.port(ofDevice: "/machine/peripheral/disk5/virtio-backend") == 5)
        let many = (0...16).map { GuestDisk(id: "v\($0)", nbdSocket: "/s", exportName: "d", position: $0) }
        #expect(throws: GuestError.self) { try RootPorts.assign(many) }
    }

    static let refused: [(String, @Sendable (inout GuestSpecification) -> Void)] = [
        ("a uuid that leaves the folder", { $0.uuid = "../../etc" }),
        ("an empty uuid", { $0.uuid = "" }),
        ("no memory", { $0.memoryBytes = 0 }),
        ("all memory", { $0.memoryBytes = .max }),
        ("no processor", { $0.vcpus = 0 }),
        ("too many processors", { $0.vcpus = .max }),
        ("NUL in the command line", { $0.boot = .kernel(kernel: "/k", initrd: nil, arguments: "a\u{0}b") }),
        ("a kernel that looks like an option", { $0.boot = .kernel(kernel: "-S", initrd: nil, arguments: "") }),
        (
            "a socket path above the kernel's limit",
            { $0.disks[0].nbdSocket = "/" + String(repeating: "x", count: 107) }
        ),
        ("a relative socket path", { $0.disks[0].nbdSocket = "x" }),
        ("a disk id that is no name", { $0.disks[0].id = "a,b" }),
        ("a negative position", { $0.disks[0].position = -1 }),
        ("the same disk twice", { $0.disks.append($0.disks[0]) }),
    ]

    @Test(arguments: refused.indices)
    func whatQEMUMustNotBeToldIsRefused(_ index: Int) {
        let (what, change) = Self.refused[index]
        #expect("\(what) was accepted") { try specification(change).check() } throws: {
            ($0 as? GuestError)?.code == .invalidSpecification
        }
    }

    @Test func aVerdictOfThisBootIsNotTriedAgain() async throws {
        let folder = try ScratchFolder("kvm")
        defer { folder.remove() }
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        for (verdict, expected) in [("kvm", true), ("tcg", false)] {
            try Data("\(verdict) \(boot)".utf8).write(to: URL(fileURLWithPath: folder.file("acceleration")))
            // A kernel that does not exist cannot boot: only the file can say yes.
            let probe = KVMProbe(runDirectory: folder.path, logger: GuestHost.silent)
            #expect(await probe.works(kernel: "/nonexistent") == expected)
        }
    }
}
