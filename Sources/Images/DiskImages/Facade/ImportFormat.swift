/// Formats that images are imported from: they can be read and not written.
public enum ImportFormat: String, CaseIterable, Sendable {
    case vhdx
    case vmdk
}
