import BlockIO
import CoreTypes
import Glibc

/// The parent of a differencing VHD, as its child records it.
struct VHDParent: Hashable, Sendable {
    /// Path with `/`: absolute, or relative to the child's folder and then beginning with `./` or `../`.
    let name: String
    /// The 16 bytes of the parent's UUID; nil when its format has none.
    let identifier: [UInt8]?
    /// Seconds since 2000.
    let timestamp: UInt32

    /// The last part of the path.
    var fileName: String { name.split(separator: "/").last.map(String.init) ?? name }

    /// `.denied` for a name that other programs could read as something else than a path.
    init(name: String, identifier: [UInt8]?, timestamp: UInt32) throws(BlockError) {
        let isUsable =
            name.utf8.count <= 4095 && name.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }
            && name.split(separator: "/").last.map { ![".", ".."].contains($0) && $0.utf16.count <= 255 } == true
        guard isUsable, !name.prefix(while: { $0 != "/" }).contains(":") else {
            throw BlockError(
                .denied,
                "“\(name)” cannot be the name of a VHD's parent: no control characters, no backslashes, no"
                    + " colon in front of the first slash")
        }
        let isRooted = name.hasPrefix("/") || name.hasPrefix("./") || name.hasPrefix("../")
        self.name = isRooted ? name : "./" + name
        self.identifier = identifier
        self.timestamp = timestamp
    }

    /// Reads what is to be recorded of the image at `reference`, which the child will name `name`.
    /// `.unsupported` for a parent that others would take for another: one without an identity is a raw disk to them.
    init(_ reference: ParentReference, name: String, opensDisabled: Bool = false) throws(BlockError) {
        do throws(BlockError) {
            try FormatCapabilities.check(reference.format, of: .vhd)
        } catch { throw error.at(path: reference.path) }
        var identifier: [UInt8]?
        let file = try ImageFile(path: reference.path, access: .readOnly, locking: false)
        defer { file.close() }
        if reference.format == .image(.vhd) {
            do throws(BlockError) {
                let footer = try VHDLayout(file: file, opensDisabled: opensDisabled).footer
                guard let known = footer.uuid else {
                    throw BlockError(.unsupported, "the VHD has no UUID, which a child of it must record")
                }
                identifier = known
            } catch { throw error.at(path: reference.path) }
        }
        try self.init(
            name: name, identifier: identifier, timestamp: Self.timestamp(ofFileAt: reference.path) ?? 0)
    }

    init(_ reference: ImageReference, name: String, opensDisabled: Bool = false) throws(BlockError) {
        try self.init(.image(reference), name: name, opensDisabled: opensDisabled)
    }

    /// When a file was last changed, seconds since 2000; nil when that is not known or not representable.
    static func timestamp(ofFileAt path: String) -> UInt32? {
        var status = stat()
        // SAFETY: a local variable, filled by the call; Swift's own temporary C string.
        guard unsafe stat(path, &status) == 0 else { return nil }
        return UInt32(exactly: status.st_mtim.tv_sec - 946_684_800)
    }

    /// The stored paths of the parent, in the order in which blktap writes them: a Mac URL and two Windows paths, all
    /// relative when `name` is. An absolute one has no relative spelling.
    var payloads: [(code: UInt32, bytes: [UInt8])] {
        let windows = VHDPathText.encodeUTF16LittleEndian(VHDPathText.toWindows(name))
        let all = [
            (VHDLocator.fileURL, Array("file://\(name)".utf8)), (VHDLocator.absoluteWindows, windows),
            (VHDLocator.relativeWindows, windows),
        ]
        return name.hasPrefix("/") ? Array(all[..<2]) : all
    }

    /// Places the payloads one behind the other from `offset` on; returns the locators, the bytes and where they end.
    func placed(at offset: UInt64) -> (locators: [VHDLocator], bytes: [UInt8], end: UInt64) {
        var locators: [VHDLocator] = []
        var bytes: [UInt8] = []
        for payload in payloads {
            // At most 8 KiB and a little: the name has 4095 bytes at most.
            let space = (payload.bytes.count + 511) / 512 * 512
            locators.append(
                VHDLocator(
                    code: payload.code, space: UInt64(space), length: UInt64(payload.bytes.count),
                    offset: offset + UInt64(bytes.count)))
            bytes += payload.bytes + [UInt8](repeating: 0, count: space - payload.bytes.count)
        }
        return (locators, bytes, offset + UInt64(bytes.count))
    }
}
