import ArgumentParser
import CoreTypes
import DiskImages

/// A format named on the command line: one that images can have here, or one that they can only be read from.
enum DeclaredFormat: ExpressibleByArgument, Sendable {
    case image(ImageFormat)
    case importOnly(ImportFormat)

    init?(argument: String) {
        if let format = ImageFormat(parsing: argument) {
            self = .image(format)
        } else if let format = ImportFormat(rawValue: argument.lowercased()) {
            self = .importOnly(format)
        } else {
            return nil
        }
    }

    init(_ format: ParentFormat) {
        switch format {
        case .image(let format): self = .image(format)
        case .imported(let format): self = .importOnly(format)
        }
    }

    static var allValueStrings: [String] {
        ImageFormat.allCases.map(\.rawValue) + ImportFormat.allCases.map(\.rawValue)
    }

    var name: String {
        switch self {
        case .image(let format): format.rawValue
        case .importOnly(let format): format.rawValue
        }
    }

    var defaultValueDescription: String { name }

    /// Nil for one that can only be read.
    var writableFormat: ImageFormat? { if case .image(let format) = self { format } else { nil } }

    var isVMDK: Bool { asParent == .imported(.vmdk) }

    /// As the format of what another image builds on.
    var asParent: ParentFormat {
        switch self {
        case .image(let format): .image(format)
        case .importOnly(let format): .imported(format)
        }
    }

    /// The format of an image that is to be made, changed or checked.
    func writable(_ what: String) throws(CommandFailure) -> ImageFormat {
        switch self {
        case .image(let format): return format
        case .importOnly(let format):
            throw CommandFailure(
                what, why: "\(format.rawValue) images can only be read",
                advice: "gantry image convert -f \(format.rawValue) -O qcow2, and working on the copy",
                status: CommandFailure.Status.usage)
        }
    }
}
