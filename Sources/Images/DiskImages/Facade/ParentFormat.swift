public import CoreTypes

/// The format of an image that another one builds on: one that can be written, too, or one that is only read.
public enum ParentFormat: Hashable, Sendable {
    case image(ImageFormat)
    case imported(ImportFormat)

    /// Reads a word of a command line, or of an image, where QEMU's names stand. Nil for what is not read here; a raw disk
    /// that is packed as a whole (gzip, xz, zstd) is no parent: nobody can read it but from its beginning.
    public init?(parsing word: some StringProtocol) {
        if let format = ImageFormat(parsing: word) {
            self = .image(format)
        } else if let format = ImportFormat(rawValue: word.lowercased()) {
            self = .imported(format)
        } else {
            return nil
        }
    }

    public var name: String {
        switch self {
        case .image(let format): format.rawValue
        case .imported(let format): format.rawValue
        }
    }

    /// What qcow2 images call it.
    var storedName: String { self == .image(.vhd) ? "vpc" : name }
}

/// An image that can only be read, and its format, as the caller's own records have them.
public struct ImportReference: Hashable, Sendable {
    public var path: String
    public var format: ImportFormat

    public init(path: String, format: ImportFormat) {
        self.path = path
        self.format = format
    }
}

/// An image that another one builds on.
public enum ParentReference: Hashable, Sendable {
    case image(ImageReference)
    case imported(ImportReference)

    public init(path: String, format: ParentFormat) {
        switch format {
        case .image(let format): self = .image(ImageReference(path: path, format: format))
        case .imported(let format): self = .imported(ImportReference(path: path, format: format))
        }
    }

    public var path: String {
        switch self {
        case .image(let image): image.path
        case .imported(let image): image.path
        }
    }

    public var format: ParentFormat {
        switch self {
        case .image(let image): .image(image.format)
        case .imported(let image): .imported(image.format)
        }
    }
}
