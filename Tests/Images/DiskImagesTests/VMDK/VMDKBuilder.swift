import BlockIO

@testable import DiskImages

/// Makes VMDK files for tests in a plain way: sparse extents, streams, descriptors.
struct VMDKBuilder {
    enum Directory: CaseIterable {
        /// As VMware's products write streams.
        case footer
        /// Grains and an end marker only.
        case none
        /// As QEMU does; no end marker either.
        case front
    }

    var capacity: UInt64
    var grain: UInt64 = 16
    var version: UInt32 = 1
    /// Whole grains by their index.
    var grains: [UInt64: [UInt8]] = [:]
    /// Grains that are said to be zero.
    var zeroed: Set<UInt64> = []
    var descriptorSectors = 20
    var descriptor: String?

    var grainCount: UInt64 { (capacity + grain - 1) / grain }
    var tableCount: UInt64 { (grainCount + 511) / 512 }
    private var directorySectors: UInt64 { (tableCount * 4 + 511) / 512 }

    /// The disk's bytes.
    var content: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(capacity * 512))
        for (index, grain) in grains {
            let start = Int(index * self.grain * 512)
            let count = min(grain.count, bytes.count - start)
            bytes.replaceSubrange(start..<start + count, with: grain[..<count])
        }
        return bytes
    }

    static func text(
        _ type: String, _ extents: [String], cid: String = "12345678", parent: String = "ffffffff", more: [String] = []
    ) -> String {
        (["# Disk DescriptorFile", "version=1", "CID=\(cid)", "parentCID=\(parent)", "createType=\"\(type)\""] + more
            + ["", "# Extent description"] + extents + [
                "", "# The Disk Data Base", "#DDB", "ddb.adapterType = \"ide\"", "",
            ])
            .joined(separator: "\n")
    }

    func header(flags: UInt32, directory: UInt64, redundant: UInt64, overhead: UInt64, compression: UInt16) -> [UInt8] {
        var bytes = Array("KDMV".utf8)
        bytes.little(version)
        bytes.little(flags)
        bytes.little(capacity)
        bytes.little(grain)
        bytes.little(descriptorSectors > 0 ? UInt64(1) : 0)
        bytes.little(UInt64(descriptorSectors))
        bytes.little(UInt32(512))
        bytes.little(redundant)
        bytes.little(directory)
        bytes.little(overhead)
        bytes += [0, 0x0A, 0x20, 0x0D, 0x0A]
        bytes.little(compression)
        return Self.padded(bytes)
    }

    private func embedded(_ type: String) -> [UInt8] {
        let text = descriptor ?? Self.text(type, ["RW \(capacity) SPARSE \"disk.vmdk\""])
        let bytes = descriptorSectors > 0 ? Array(text.utf8) : []
        return bytes + [UInt8](repeating: 0, count: descriptorSectors * 512 - bytes.count)
    }

    /// Header, descriptor, redundant directory and tables, directory and tables, grains.
    func sparse() -> [UInt8] {
        let redundant = 1 + UInt64(descriptorSectors)
        let directory = redundant + directorySectors + 4 * tableCount
        let overhead = directory + directorySectors + 4 * tableCount
        var bytes = header(
            flags: zeroed.isEmpty ? 3 : 7, directory: directory, redundant: redundant, overhead: overhead,
            compression: 0)
        bytes += embedded("monolithicSparse")
        var next = overhead
        var entries = [UInt32](repeating: 0, count: Int(tableCount * 512))
        var data: [UInt8] = []
        for index in zeroed { entries[Int(index)] = 1 }
        for (index, grain) in grains.sorted(by: { $0.key < $1.key }) {
            entries[Int(index)] = UInt32(next)
            data += grain
            next += self.grain
        }
        for start in [redundant, directory] {
            bytes += Self.padded((0..<tableCount).flatMap { UInt32(start + directorySectors + 4 * $0).bytes })
            bytes += entries.flatMap(\.bytes)
        }
        return bytes + data
    }

    /// Where markers are changed on the way into a stream.
    typealias Edit = (_ grain: UInt64, _ marker: inout [UInt8]) -> Void

    func stream(_ place: Directory, order: [UInt64]? = nil, edit: Edit = { _, _ in }) -> [UInt8] {
        let ordered = order ?? grains.keys.sorted()
        var tables = [[UInt32]](repeating: [], count: Int(tableCount))
        let front = 1 + UInt64(descriptorSectors)
        let overhead = place == .front ? front + directorySectors + 4 * tableCount : front
        func head(_ directory: UInt64) -> [UInt8] {
            header(flags: 0x30001, directory: directory, redundant: 0, overhead: overhead, compression: 1)
        }
        var data: [UInt8] = []
        for index in ordered {
            if tables[Int(index / 512)].isEmpty { tables[Int(index / 512)] = [UInt32](repeating: 0, count: 512) }
            tables[Int(index / 512)][Int(index % 512)] = UInt32(overhead) + UInt32(data.count / 512)
            let packed = Self.zlib(grains[index] ?? [])
            var marker = (index * grain).bytes + UInt32(packed.count).bytes + packed
            edit(index, &marker)
            data += Self.padded(marker)
        }
        switch place {
        case .none: return head(.max) + embedded("streamOptimized") + data + Self.marker(0, 0)
        case .front:
            var bytes = head(front) + embedded("streamOptimized")
            bytes += Self.padded(
                tables.indices.flatMap {
                    UInt32(tables[$0].isEmpty ? 0 : front + directorySectors + 4 * UInt64($0)).bytes
                })
            for table in tables { bytes += table.isEmpty ? [UInt8](repeating: 0, count: 2048) : table.flatMap(\.bytes) }
            return bytes + data
        case .footer:
            var bytes = head(.max) + embedded("streamOptimized") + data
            var directory: [UInt8] = []
            for table in tables {
                if table.isEmpty {
                    directory.little(UInt32(0))
                    continue
                }
                bytes += Self.marker(4, 1)
                directory.little(UInt32(bytes.count / 512))
                bytes += table.flatMap(\.bytes)
            }
            bytes += Self.marker(directorySectors, 2)
            let at = UInt64(bytes.count / 512)
            return bytes + Self.padded(directory) + Self.marker(1, 3) + head(at) + Self.marker(0, 0)
        }
    }

    static func marker(_ sectors: UInt64, _ type: UInt32) -> [UInt8] {
        padded(sectors.bytes + UInt32(0).bytes + type.bytes)
    }

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    /// zlib's frame around stored blocks.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var packed: [UInt8] = [0x78, 0x01]
        var position = 0
        repeat {
            let count = min(65535, bytes.count - position)
            packed.append(position + count == bytes.count ? 1 : 0)
            packed.little(UInt16(count))
            packed.little(~UInt16(count))
            packed += bytes[position..<position + count]
            position += count
        } while position < bytes.count
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return packed + [UInt8(b >> 8), UInt8(b & 0xFF), UInt8(a >> 8), UInt8(a & 0xFF)]
    }
}

/// Opens a VMDK in memory.
func openVMDK(_ bytes: [UInt8]) throws -> VMDKDevice {
    try VMDKImage.open(storage: StoreInMemory(bytes), context: ImportContext(policy: .standalone))
}
