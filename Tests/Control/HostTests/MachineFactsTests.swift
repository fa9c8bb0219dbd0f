import APITypes
import Foundation
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

@Suite struct MachineFactsTests {
    /// Files of a machine that a test makes up.
    private func machine(_ files: [String: String], links: [String: String] = [:]) throws -> ScratchFolder {
        let folder = try ScratchFolder("machine")
        let manager = FileManager.default
        for (path, text) in files {
            let place = URL(fileURLWithPath: folder.path + path)
            try manager.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: place)
        }
        for (path, target) in links {
            let place = folder.path + path
            try manager.createDirectory(
                atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try manager.createSymbolicLink(atPath: place, withDestinationPath: target)
        }
        return folder
    }

    private static let net = "/sys/class/net"
    private func interface(_ name: String, hardware: Bool, type: Int = 1) -> [String: String] {
        let path = "\(Self.net)/\(name)"
        var files = [
            "\(path)/type": "\(type)\n", "\(path)/address": "02:00:00:00:00:0\(name.count)\n", "\(path)/mtu": "9000\n",
            "\(path)/flags": "0x1003\n", "\(path)/carrier": "1\n", "\(path)/speed": "25000\n",
            "\(path)/duplex": "full\n", "\(path)/uevent": "INTERFACE=\(name)\n",
        ]
        if hardware {
            files["\(path)/device/vendor"] = "0x8086\n"
            files["\(path)/device/device"] = "0x158b\n"
        }
        return files
    }

    @Test func onlyTheHostsOwnInterfacesAreItsPIFs() throws {
        var files = [
            "\(Self.net)/br0/bridge/bridge_id": "x", "\(Self.net)/br0/type": "1\n",
            "\(Self.net)/tap0/tun_flags": "0x1002\n", "\(Self.net)/tap0/type": "1\n",
            "\(Self.net)/bond0/bonding/mode": "x", "\(Self.net)/bond0/type": "1\n",
            "/proc/net/route": """
            Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask
            br0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000
            ens1\t000A0A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF
            """,
            "/proc/net/if_inet6": "fe80000000000000020000fffe000001 02 40 20 80     br0\n"
                + "20010db8000000000000000000000001 02 40 00 80     br0\n",
            "/etc/resolv.conf": "# comment\nnameserver 192.0.2.1\nsearch example\nnameserver 192.0.2.2\n",
        ]
        files.merge(interface("eth0", hardware: true)) { $1 }
        files.merge(interface("ens1", hardware: true)) { $1 }
        files.merge(interface("veth12", hardware: false)) { $1 }
        files.merge(interface("lo", hardware: false, type: 772)) { $1 }
        let folder = try machine(files, links: ["\(Self.net)/eth0/brport/bridge": "../../br0"])
        let scan = InterfaceScan.read(root: folder.path)
        #expect(scan.interfaces.map(\.name) == ["ens1", "eth0"])
        #expect(scan.bridges == ["br0"])
        let port = try #require(scan.interfaces.last)
        #expect(port.bridge == "br0" && port.gateway == "192.168.2.1" && port.isUp && port.hasCarrier)
        #expect(port.speed == 25000 && port.isFullDuplex && port.mtu == 9000)
        #expect(port.vendorID == "8086" && port.deviceID == "158b")
        #expect(port.ipv6 == ["2001:db8::1/64", "fe80::200:ff:fe00:1/64"] || port.ipv6.count == 2)
        #expect(scan.management?.name == "eth0")
        #expect(scan.nameServers == "192.0.2.1,192.0.2.2")
    }

    @Test func strangeKernelTextsAreNoFailure() {
        for text in ["", "\n\n", "x", "eth0 00000000 zz 0003", "a b c d e f g h", String(repeating: "é ", count: 50)] {
            #expect(InterfaceScan.gateways(text).isEmpty)
            #expect(InterfaceScan.ipv6Addresses(text).isEmpty)
            #expect(MachineFacts.bootTime(text) == 0)
            #expect(MachineReadings.processors(text, ticks: 100, []).isEmpty)
            #expect(MachineReadings.memory(text, []).isEmpty)
            #expect(GuestReadings.time(text) == nil)
            #expect(GuestReadings.processor(text) == nil)
        }
    }

    /// Interfaces come and go with the machine; rows that stay keep their references.
    @Test func rowsFollowTheMachine() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let folder = try ScratchFolder("bootstrap")
        let host = try await HostBootstrap.run(database: database, stateDirectory: folder.path).host
        func apply(_ interfaces: [NetworkInterface]) async throws {
            let scan = InterfaceScan(interfaces: interfaces, bridges: [], nameServers: "192.0.2.1")
            try await database.transaction { tx in try NetworkRows.refresh(host, in: tx, scan) }
        }
        var first = NetworkInterface(name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, isPhysical: true)
        (first.ip, first.netmask, first.gateway) = ("192.0.2.7", "255.255.255.0", "192.0.2.254")
        let second = NetworkInterface(name: "eth1", mac: "02:00:00:00:00:02", mtu: 9000, bridge: "xenbr1")
        try await apply([first, second])
        let rows = database.read { $0.rows(PIF.self) }
        #expect(Set(rows.map { $0[PIF.device] }) == ["eth0", "eth1"])
        let pif = try #require(rows.first { $0[PIF.device] == "eth0" })
        #expect(pif[PIF.management] && pif[PIF.ip] == "192.0.2.7" && pif[PIF.dns] == "192.0.2.1")
        #expect(database.read { $0.row(host)?[Host.address] } == "192.0.2.7")
        let bridged = try #require(rows.first { $0[PIF.device] == "eth1" })
        #expect(database.read { $0.row(bridged[PIF.network])?[Network.bridge] } == "xenbr1")
        #expect(database.read { $0.row(pif[PIF.network])?[Network.bridge] } == "")
        let generation = database.generation
        try await apply([first, second])
        #expect(database.generation == generation, "nothing changed")
        try await apply([first])
        let left = database.read { $0.rows(PIF.self) }
        #expect(left.map(\.ref) == [pif.ref])
        #expect(database.read { $0.rows(PIFMetrics.self).count } == 1)
        #expect(database.read { $0.row(bridged[PIF.network]) } == nil)
    }

    @Test func freeMemoryIsNeitherPromisedNorMissing() {
        #expect(HostMemory.free(total: 100, available: 80, promised: 50) == 50)
        #expect(HostMemory.free(total: 100, available: 20, promised: 50) == 20)
        #expect(HostMemory.free(total: 100, available: 90, promised: 500) == 0)
        #expect(HostMemory.ownUse(total: 100, available: 80, resident: 50) == 0)
    }
}
