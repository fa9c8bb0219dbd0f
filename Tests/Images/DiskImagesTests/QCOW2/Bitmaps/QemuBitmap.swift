import TestSupport
import Testing

/// The numbers of the granules that ranges touch.
func granules(_ ranges: [Range<UInt64>], _ granularity: UInt64) -> Set<UInt64> {
    Set(ranges.flatMap { $0.lowerBound / granularity...($0.upperBound - 1) / granularity })
}

/// The granules that qemu-nbd exports of a bitmap, as nbdinfo prints them.
func granulesOfQemu(_ path: String, _ name: String, _ granularity: UInt64) throws -> Set<UInt64> {
    let text = try Tool.check(
        "nbdinfo",
        ["--map=qemu:dirty-bitmap:\(name)", "--", "[", "qemu-nbd", "-r", "-f", "qcow2", "-B", name, path, "]"])
    var found: Set<UInt64> = []
    for line in text.split(separator: "\n") {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard fields.count >= 3, fields[2] == 1, fields[1] > 0 else { continue }
        found.formUnion(fields[0] / granularity...(fields[0] + fields[1] - 1) / granularity)
    }
    return found
}

func expectQemuAgrees(_ path: String, _ name: String, _ expected: Set<UInt64>, _ granularity: UInt64) throws {
    let isEqual = try granulesOfQemu(path, name, granularity) == expected
    #expect(isEqual, "qemu-nbd on \(name)")
}
