import APITypes
import Crypto
import Foundation
import PoolDatabase

/// The rows that make up a machine.
enum MachineRows {
    /// Takes a machine out of the database, with its drives, interfaces and what is measured of it; its disks stay. Those
    /// that were made of it follow on what it was made of.
    static func remove(_ vm: Ref<VM>, in tx: Transaction) throws(APIError) {
        for vbd in tx.rows(VBD.self, where: VBD.vm, is: vm) { tx.delete(vbd.typedRef(VBD.self)) }
        for vif in tx.rows(VIF.self, where: VIF.vm, is: vm) { tx.delete(vif.typedRef(VIF.self)) }
        if let row = tx.row(vm) {
            for child in row[VM.children] { try tx.set(child, VM.parent, row[VM.parent]) }
            tx.delete(row[VM.metrics])
            SuspendedGuest.remove(of: vm, in: tx)
            GuestRows.forget(row, in: tx)
        }
        tx.delete(vm)
    }

    /// The entry of a machine's `other_config` from which the addresses of its interfaces are made.
    static let addressSeed = "mac_seed"

    /// The address of a network interface that has none of its own: the same for the same seed and device, administered
    /// locally, of one station.
    static func address(seed: String, device: String) -> String {
        var bytes = Array(SHA256.hash(data: Data("\(seed)/\(device)".utf8)).prefix(6))
        bytes[0] = bytes[0] & 0xFC | 0x02
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    /// Six pairs of hexadecimal digits, of one station.
    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 && $0.utf8.first != 0x2B ? UInt8($0, radix: 16) : nil }
        return parts.count == 6 && bytes.count == 6 && bytes[0] & 1 == 0
    }

    /// Two random numbers, by which a guest learns that it is another than before. A machine whose own is empty has none.
    static func freshGeneration(after current: String = "0:0") -> String {
        if current.isEmpty { return current }
        return "\(Int64.random(in: .min ... .max)):\(Int64.random(in: .min ... .max))"
    }
}
