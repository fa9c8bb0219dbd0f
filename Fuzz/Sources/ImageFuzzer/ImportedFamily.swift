import Glibc

@testable import DiskImages

/// The files that a VHDX or VMDK under trial may use: a parent, made of the image itself so that identities match, and two
/// extents. Nil where it needs none.
enum ImportedFamily {
    private static let parent = "import-parent"
    private static let extents = ["a-f001.vmdk", "a-f002.vmdk"]

    /// Of an input as `Checksums.spreadVHDX` takes it: its parent has no parent, and is whole where the child is so in part.
    static func policy(vhdx input: [UInt8]) -> ImportPolicy? {
        let (items, table) = (10 * 4096, 11 * 4096)
        guard input.count > table, input[items + 4] & 2 != 0 else { return nil }
        var bytes = input
        bytes[items + 4] &= ~2
        if bytes[table] & 7 == 7 { bytes[table] -= 1 }
        ScratchFolder.write(sparse: Checksums.spreadVHDX(bytes), to: parent)
        return policy
    }

    /// The parent of a VMDK is the same but that it says of itself that it has none.
    static func policy(vmdk input: [UInt8]) -> ImportPolicy? {
        let (key, none) = (Array("parentCID=".utf8), Array("ffffffff".utf8))
        let head = input.prefix(4096)
        let place = head.indices.first { head[$0...].starts(with: key) }.map { $0 + key.count }
        var bytes = input
        if let place, place + none.count <= bytes.count {
            bytes.replaceSubrange(place..<place + none.count, with: none)
        }
        let isChild = bytes != input
        guard isChild || head.starts(with: Array("# ".utf8)) else { return nil }
        if isChild { ScratchFolder.write(bytes, to: parent) }
        for name in extents where ScratchFolder.read(name) == nil {
            ScratchFolder.write([UInt8](repeating: 0x44, count: 64 * 512), to: name)
        }
        return policy
    }

    private static var policy: ImportPolicy {
        ImportPolicy(
            parents: .given([ScratchFolder.path + "/" + parent]),
            extents: .given(extents.map { ScratchFolder.path + "/" + $0 }))
    }
}
