import Foundation

/// What the machine's firmware, processors and kernel say about it, beside `HostFacts`. Everything is read below `root`,
/// so that a test can bring a machine of its own.
struct MachineFacts: Sendable {
    /// `bios_strings` of class host; `oem-1` and so on are left out: nobody sets them here.
    let biosStrings: [String: String]
    /// `chipset_info` of class host.
    let chipset: [String: String]
    /// When the kernel started, seconds since 1970; 0 when it does not say.
    let bootTime: Int64
    /// KVM's device is there.
    let hasKVM: Bool

    static func read(root: String = "") -> MachineFacts {
        func dmi(_ name: String) -> String { line("\(root)/sys/class/dmi/id/\(name)") }
        let strings = [
            "bios-vendor": dmi("bios_vendor"), "bios-version": dmi("bios_version"),
            "system-manufacturer": dmi("sys_vendor"), "system-product-name": dmi("product_name"),
            "system-version": dmi("product_version"), "system-serial-number": dmi("product_serial"),
            "baseboard-manufacturer": dmi("board_vendor"), "baseboard-product-name": dmi("board_name"),
            "baseboard-version": dmi("board_version"), "baseboard-serial-number": dmi("board_serial"),
            "baseboard-asset-tag": dmi("board_asset_tag"),
        ]
        let units = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/sys/class/iommu")) ?? []
        return MachineFacts(
            biosStrings: strings, chipset: ["iommu": units.isEmpty ? "false" : "true"],
            bootTime: bootTime((try? String(contentsOfFile: "\(root)/proc/stat", encoding: .utf8)) ?? ""),
            hasKVM: FileManager.default.fileExists(atPath: "\(root)/dev/kvm"))
    }

    /// The `btime` of /proc/stat.
    static func bootTime(_ text: String) -> Int64 {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            return Int64(line.dropFirst("btime ".count)) ?? 0
        }
        return 0
    }

    /// A file's first line; empty when it cannot be read.
    private static func line(_ path: String) -> String {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }
}
