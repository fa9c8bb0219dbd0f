/// An image format that a storage manager can store a VDI in. Source: XenAPI enum `image_format_type`.
public enum ImageFormat: String, CaseIterable, Sendable, Codable {
    case raw, vhd, qcow2

    /// Any case; `vpc` is qemu's name for vhd. Nil for every other word.
    public init?(parsing text: some StringProtocol) {
        switch text.lowercased() {
        case "raw": self = .raw
        case "vhd", "vpc": self = .vhd
        case "qcow2": self = .qcow2
        default: return nil
        }
    }
}
