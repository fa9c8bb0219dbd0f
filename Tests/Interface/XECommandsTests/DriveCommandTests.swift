import RPCCodec
import Testing

@testable import XECommands

/// CD drives: a machine with a disk, an empty drive and a loaded one; two CD images in their repository.
@Suite struct DriveCommandTests {
    private static let library = "22222222-0000-4000-8000-00000000000c"
    private static func disc(_ number: Int) -> String { "33333333-0000-4000-8000-00000000000\(number)" }
    private static func drive(_ number: Int) -> String { "66666666-0000-4000-8000-00000000000\(number)" }
    private let vm = "vm=\(SamplePool.machineUUID)"

    private func pool(drives: [(Int, disc: Int?)] = [(3, nil), (4, 8)]) -> FakeToolstack {
        let pool = SamplePool.make()
        pool.add(
            "SR", uuid: Self.library,
            [("name_label", .string("library")), ("content_type", .string("iso")), ("type", .string("iso"))])
        for (number, name) in [(8, "tools.iso"), (9, "linux.iso")] {
            pool.add(
                "VDI", uuid: Self.disc(number),
                [
                    ("name_label", .string(name)), ("SR", .string("OpaqueRef:\(Self.library)")),
                    ("virtual_size", .string("2048")),
                ])
        }
        let machine = WireValue.string("OpaqueRef:\(SamplePool.machineUUID)")
        pool.add(
            "VBD", uuid: Self.drive(0),
            [
                ("VM", machine), ("VDI", .string("OpaqueRef:\(SamplePool.diskUUID)")), ("type", .string("Disk")),
                ("empty", .bool(false)), ("userdevice", .string("0")),
            ])
        for (number, disc) in drives {
            pool.add(
                "VBD", uuid: Self.drive(number),
                [
                    ("VM", machine), ("VDI", .string(disc.map { "OpaqueRef:\(Self.disc($0))" } ?? "OpaqueRef:NULL")),
                    ("type", .string("CD")), ("empty", .bool(disc == nil)), ("userdevice", .string(String(number))),
                ])
        }
        return pool
    }

    @Test func imagesAndDrivesAreListed() async {
        let images = await xe("cd-list --minimal", on: pool())
        #expect(images.out == "\(Self.disc(8)),\(Self.disc(9))\n")
        let names = await xe("cd-list params=name-label", on: pool())
        #expect(names.out.contains("tools.iso") && names.out.contains("linux.iso") && !names.out.contains("disk0"))
        let drives = await xe("vm-cd-list \(vm) vbd-params=userdevice,empty vdi-params=name-label", on: pool())
        let lines = drives.out.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
        #expect(
            lines == [
                "CD 0 VBD:", "empty ( RO)         : true", "userdevice ( RW): 3", "CD 1 VBD:",
                "empty ( RO)         : false",
                "userdevice ( RW): 4", "CD 1 VDI:", "name-label ( RW)    : tools.iso",
            ], "\(drives.out)")
    }

    @Test func discsGoInAndOutByNameAndByUUID() async {
        let (empty, loaded) = ("OpaqueRef:\(Self.drive(3))", "OpaqueRef:\(Self.drive(4))")
        let linux = "OpaqueRef:\(Self.disc(9))"
        for (line, expected) in [
            ("vbd-insert uuid=\(Self.drive(3)) vdi-uuid=\(Self.disc(9))", "VBD.insert('\(empty)', '\(linux)')"),
            ("vbd-eject uuid=\(Self.drive(4))", "VBD.eject('\(loaded)')"),
            ("vm-cd-insert cd-name=linux.iso \(vm)", "VBD.insert('\(empty)', '\(linux)')"),
            ("vm-cd-remove cd-name=tools.iso \(vm)", "VBD.destroy('\(loaded)')"),
        ] {
            let pool = pool()
            let result = await xe(line, on: pool)
            #expect(result.code == 0 && pool.changes == [expected], "\(line): \(result.err)")
        }
        let only = pool(drives: [(4, 8)])
        #expect(await xe("vm-cd-eject \(vm)", on: only).code == 0 && only.changes == ["VBD.eject('\(loaded)')"])
        let add = pool()
        _ = await xe("vm-cd-add cd-name=linux.iso device=5 \(vm)", on: add)
        #expect(
            add.changes.first?.hasPrefix(
                "VBD.create({VM: 'OpaqueRef:\(SamplePool.machineUUID)', VDI: '\(linux)', userdevice: '5', bootable: false, "
                    + "mode: 'RO', type: 'CD'") == true)
    }

    @Test(arguments: [
        ("vm-cd-insert cd-name=none", "There is no CD image of the name none"),
        ("vm-cd-insert cd-name=disk0", "There is no CD image of the name disk0"),
        ("vm-cd-remove cd-name=linux.iso", "No CD drive holds the disc linux.iso"),
        ("vm-cd-eject", "There are several CD drives; choose one with vbd-eject"),
    ])
    func whatIsNotOneDriveAndOneDiscIsRefused(line: String, message: String) async {
        let pool = pool()
        let result = await xe("\(line) \(vm)", on: pool)
        #expect(result.code == 1 && result.err == "Error: \(message)\n" && pool.changes.isEmpty)
        let missing = await xe("vm-cd-insert \(vm)", on: pool)
        #expect(missing.err.hasPrefix("Required parameter not found: cd-name\n"))
    }
}
