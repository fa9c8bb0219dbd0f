import Foundation
import Glibc

/// One network interface of the machine as the kernel describes it.
struct NetworkInterface: Sendable, Hashable {
    var name: String
    var mac = ""
    var mtu: Int64 = 0
    /// There is hardware, or what passes for it in a guest, behind it.
    var isPhysical = false
    var isUp = false
    var hasCarrier = false
    /// Mbit/s; 0 when the kernel does not know.
    var speed: Int64 = 0
    var isFullDuplex = false
    /// The bridge that the interface is a port of; empty for none.
    var bridge = ""
    /// Hexadecimal numbers of the PCI device, without `0x`; empty for others.
    var vendorID = ""
    var deviceID = ""
    /// E.g. `0000:00:03.0`.
    var pciPath = ""
    var ip = ""
    var netmask = ""
    var gateway = ""
    /// With prefix lengths.
    var ipv6: [String] = []
}

/// All interfaces that are the host's own, and the bridges that there are.
struct InterfaceScan: Sendable {
    /// By name.
    let interfaces: [NetworkInterface]
    let bridges: Set<String>
    /// Addresses of name servers, joined by commas.
    let nameServers: String

    /// The interface by which the machine is reached: that of the default route, else the first with an address.
    var management: NetworkInterface? {
        interfaces.first { !$0.gateway.isEmpty } ?? interfaces.first { !$0.ip.isEmpty } ?? interfaces.first
    }

    /// `root` is where /sys, /proc and /etc lie; addresses come from the kernel, whatever the root.
    static func read(root: String = "") -> InterfaceScan {
        let folder = "\(root)/sys/class/net"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        var bridges: Set<String> = []
        var all: [NetworkInterface] = []
        let addresses = InterfaceAddresses.read()
        let gateways = gateways(text("\(root)/proc/net/route"))
        let ipv6 = ipv6Addresses(text("\(root)/proc/net/if_inet6"))
        for name in names {
            let path = "\(folder)/\(name)"
            if exists("\(path)/bridge") {
                bridges.insert(name)
                continue
            }
            // Ethernet only; taps, bonds and VLANs are not the host's ports.
            guard line("\(path)/type") == "1", !exists("\(path)/tun_flags"), !exists("\(path)/bonding"),
                !line("\(path)/uevent", starting: "DEVTYPE=").contains("vlan")
            else { continue }
            var found = NetworkInterface(name: name)
            read(path, into: &found)
            // A port of a bridge has its addresses at the bridge.
            let holder = found.bridge.isEmpty ? name : found.bridge
            if let address = addresses[holder] { (found.ip, found.netmask) = (address.ip, address.netmask) }
            found.gateway = gateways[holder] ?? ""
            found.ipv6 = ipv6[holder] ?? []
            all.append(found)
        }
        // Without hardware (in a container) those with addresses stand for it.
        let physical = all.filter(\.isPhysical)
        return InterfaceScan(
            interfaces: physical.isEmpty ? all.filter { !$0.ip.isEmpty && $0.bridge.isEmpty } : physical,
            bridges: bridges, nameServers: nameServers(text("\(root)/etc/resolv.conf")))
    }

    private static func read(_ path: String, into found: inout NetworkInterface) {
        found.mac = line("\(path)/address")
        found.mtu = Int64(line("\(path)/mtu")) ?? 0
        found.isPhysical = exists("\(path)/device")
        found.isUp = (Int64(line("\(path)/flags").dropFirst(2), radix: 16) ?? 0) & 1 == 1
        found.hasCarrier = line("\(path)/carrier") == "1"
        found.speed = max(0, Int64(line("\(path)/speed")) ?? 0)
        found.isFullDuplex = line("\(path)/duplex") == "full"
        found.bridge = target("\(path)/brport/bridge")
        found.vendorID = String(line("\(path)/device/vendor").dropFirst(2))
        found.deviceID = String(line("\(path)/device/device").dropFirst(2))
        // A virtio device lies below its PCI function.
        let places = (try? FileManager.default.destinationOfSymbolicLink(atPath: path))?.split(separator: "/") ?? []
        found.pciPath = places.last { isPCIAddress($0) }.map(String.init) ?? ""
    }

    private static func isPCIAddress(_ text: Substring) -> Bool {
        let parts = text.split { $0 == ":" || $0 == "." }
        return parts.map(\.count) == [4, 2, 2, 1] && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    // MARK: Texts of the kernel, pure

    /// Default gateways by interface, of /proc/net/route: numbers are hexadecimal and little-endian.
    static func gateways(_ text: String) -> [String: String] {
        var all: [String: String] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count > 3, fields[1] == "00000000", let flags = UInt32(fields[3], radix: 16), flags & 3 == 3,
                let address = UInt32(fields[2], radix: 16), all[String(fields[0])] == nil
            else { continue }
            all[String(fields[0])] = (0..<4).map { String(address >> (8 * $0) & 255) }.joined(separator: ".")
        }
        return all
    }

    /// Addresses with prefix lengths by interface, of /proc/net/if_inet6.
    static func ipv6Addresses(_ text: String) -> [String: [String]] {
        var all: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count >= 6, fields[0].utf8.count == 32, let prefix = UInt8(fields[2], radix: 16) else {
                continue
            }
            let digits = Array(fields[0])
            let groups = stride(from: 0, to: 32, by: 4).map { String(digits[$0..<$0 + 4]) }.joined(separator: ":")
            all[String(fields[5]), default: []].append("\(shortened(groups))/\(prefix)")
        }
        return all.mapValues { $0.sorted() }
    }

    /// The usual short form of an IPv6 address (RFC 5952).
    private static func shortened(_ address: String) -> String {
        var bytes = in6_addr()
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // SAFETY: both calls write into live variables of the sizes given.
        guard unsafe inet_pton(AF_INET6, address, &bytes) == 1,
            unsafe inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil
        else { return address }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func nameServers(_ text: String) -> String {
        text.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
        }.joined(separator: ",")
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    private static func line(_ path: String) -> String {
        text(path).split(separator: "\n").first.map(String.init) ?? ""
    }
    private static func line(_ path: String, starting prefix: String) -> String {
        text(path).split(separator: "\n").first { $0.hasPrefix(prefix) }.map(String.init) ?? ""
    }
    /// The last part of a link's target; empty when there is none.
    private static func target(_ path: String) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path))?.split(separator: "/").last.map(String.init)
            ?? ""
    }
}

/// IPv4 addresses of the interfaces.
enum InterfaceAddresses {
    /// The first address of each interface with its mask; empty when the kernel does not say.
    static func read() -> [String: (ip: String, netmask: String)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        // SAFETY: getifaddrs makes a list that lives until freeifaddrs; nothing of it is kept.
        guard unsafe getifaddrs(&list) == 0 else { return [:] }
        defer { unsafe freeifaddrs(list) }
        var all: [String: (ip: String, netmask: String)] = [:]
        var next = unsafe list
        while let item = unsafe next {
            unsafe next = item.pointee.ifa_next
            guard let name = unsafe item.pointee.ifa_name, let address = unsafe item.pointee.ifa_addr,
                unsafe address.pointee.sa_family == sa_family_t(AF_INET)
            else { continue }
            let label = unsafe String(cString: name)
            let mask = unsafe item.pointee.ifa_netmask.map { unsafe text($0) } ?? ""
            if all[label] == nil { all[label] = (unsafe text(address), mask) }
        }
        return all
    }

    /// SAFETY: `address` is one of family AF_INET, and so a `sockaddr_in`.
    private static func text(_ address: UnsafeMutablePointer<sockaddr>) -> String {
        let number = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
        return (0..<4).map { String(number >> (8 * $0) & 255) }.joined(separator: ".")
    }
}
