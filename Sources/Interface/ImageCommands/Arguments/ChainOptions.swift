import ArgumentParser
import BlockIO
import CoreTypes
import DiskImages

/// Which other files an image may pull in. Without any of these, none.
struct ChainOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "An image that FILE builds on. Repeat it for further ancestors, the nearest first.",
            valueName: "format:path"))
    var parent: [ParentArgument] = []
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Follow the names of parents that the images hold, to files beneath this folder only.", valueName: "folder")
    )
    var follow: String?
    @Option(name: .long, help: ArgumentHelp("The external data file of a qcow2 image.", valueName: "path"))
    var dataFile: String?
    @Flag(name: .long, help: "Accept a VHD's parent although its identity is not the stored one.")
    var ignoreIdentity = false

    func validate() throws {
        if follow != nil, !parent.isEmpty { throw ValidationError("give either --parent or --follow") }
    }

    var policy: OpenPolicy {
        var policy = OpenPolicy(dataFile: dataFile)
        if !parent.isEmpty { policy.parents = .given(parent.map(\.reference)) }
        if let follow { policy.parents = .within(folder: follow) }
        policy.ignoresParentIdentity = ignoreIdentity
        return policy
    }

    /// Opens an image for reading.
    func open(
        _ path: String, _ format: DeclaredFormat, snapshot: String? = nil
    ) throws(BlockError) -> any BlockDevice {
        switch format {
        case .image(let format):
            return try DiskImage.open(path: path, format: format, readOnly: true, policy: policy)
        case .importOnly(let format):
            throw BlockError(.unsupported, "\(format.rawValue) images cannot be read yet", path: path)
        }
    }
}

/// `FORMAT:PATH`.
struct ParentArgument: ExpressibleByArgument, Sendable {
    let reference: ImageReference

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let format = ImageFormat(parsing: parts[0]) else { return nil }
        reference = ImageReference(path: String(parts[1]), format: format)
    }
}
