import APITypes
import Foundation
import PoolDatabase

/// How the host's memory is shared out.
enum HostMemory {
    /// Memory of the machine and what programs could still have of it, in bytes (/proc/meminfo).
    static func read(_ path: String = "/proc/meminfo") -> (total: Int64, available: Int64) {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return (kilobytes("MemTotal", text) * 1024, kilobytes("MemAvailable", text) * 1024)
    }

    /// What QEMU needs beside the guest's own memory: its program and tables, the guest's video memory, and in emulation
    /// a cache of translated code (which is counted by what of it is used as a rule). An estimate, in bytes.
    static func overhead(vcpus: Int64) -> Int64 { (96 << 20) + (min(max(vcpus, 0), mostVCPUs) << 22) }

    /// No sum of these overflows, whatever numbers clients have put into records.
    private static let mostVCPUs: Int64 = 1 << 16
    private static let mostMemory: Int64 = 1 << 46

    /// What a VM gets when it is started.
    static func configured(_ vm: Row) -> Int64 {
        min(max(vm[VM.memoryStaticMax], vm[VM.memoryDynamicMax], 128 << 20), mostMemory)
    }

    /// Bytes that a guest has in all, of so many of its own.
    static func needed(memoryBytes: UInt64, vcpus: Int) -> Int64 {
        min(Int64(clamping: memoryBytes), mostMemory) + overhead(vcpus: Int64(vcpus))
    }

    /// What all running guests were promised, whether they have touched it or not, and those that are on their way here from other
    /// pools, but for the one that comes by the move `besides`.
    static func promised(_ reader: any DatabaseReader, besides move: String? = nil) -> Int64 {
        let running = reader.rows(VM.self) {
            $0[VM.powerState] != .halted && !$0[VM.isControlDomain] && $0[VM.domid] > 0
        }.reduce(0) { $0 + configured($1) + overhead(vcpus: max(1, $1[VM.vcpusAtStartup])) }
        return reader.arrivals().filter { $0.id != move }.reduce(running) { $0 + $1.promisedMemory }
    }

    /// What the machine itself uses now, guests left aside: an estimate that is never negative.
    static func ownUse(total: Int64, available: Int64, resident: Int64) -> Int64 {
        max(0, total - available - resident)
    }

    /// What guests can still be started with: neither more than is promised to nobody nor more than is there.
    static func free(total: Int64, available: Int64, promised: Int64) -> Int64 {
        max(0, min(available, total - promised))
    }

    /// HOST_NOT_ENOUGH_FREE_MEMORY [needed, available] when guests cannot have so many bytes more.
    static func refusal(of needed: Int64, _ reader: any DatabaseReader, besides move: String? = nil) -> APIError? {
        let (total, available) = read()
        let promised = promised(reader, besides: move)
        return refusal(of: needed, free: free(total: total, available: available, promised: promised))
    }

    /// The same where it is known how many bytes are free.
    static func refusal(of needed: Int64, free: Int64) -> APIError? {
        needed <= free ? nil : APIError("HOST_NOT_ENOUGH_FREE_MEMORY", String(needed), String(free))
    }

    private static func kilobytes(_ name: String, _ text: String) -> Int64 {
        for line in text.split(separator: "\n") where line.hasPrefix("\(name):") {
            let number = line.dropFirst(name.count + 1).split(separator: " ").first.flatMap { Int64($0) } ?? 0
            return number >= 0 && number < 1 << 50 ? number : 0
        }
        return 0
    }
}
