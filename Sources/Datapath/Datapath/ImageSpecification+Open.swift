import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import NBDTransport

extension ImageSpecification {
    /// Opens a driver's NBD server, or the image with the parents that are given, whatever names it holds. `readOnly`
    /// overrides its own.
    func open(readOnly: Bool? = nil) throws(BlockError) -> any BlockDevice {
        if format == Self.nbd {
            guard let address = NBDAddress(parsing: path) else {
                throw BlockError(.unsupported, "'\(path)' is not nbd:unix:<socket>:exportname=<name>")
            }
            return try NBDClient.connect(
                unixSocket: address.socket, exportName: address.export, readOnly: readOnly ?? self.readOnly)
        }
        if format == Self.remote { return try UnflushedExport(Self.connect(path, readOnly: readOnly ?? self.readOnly)) }
        var policy = OpenPolicy.standalone
        policy.followsLinks = refusesLinks != true
        if let parents, !parents.isEmpty {
            var ancestors: [ImageReference] = []
            for parent in parents {
                ancestors.append(ImageReference(path: parent.path, format: try Self.imageFormat(parent.format)))
            }
            policy.parents = .given(ancestors)
        }
        let format = try Self.imageFormat(format)
        let isReadOnly = readOnly ?? self.readOnly
        if policy.parents == .refused {
            return try DiskImage.open(path: path, format: format, readOnly: isReadOnly, policy: policy)
        }
        return try FolderHold.shared(folderOf: path) { [policy] () throws(BlockError) in
            try DiskImage.open(path: path, format: format, readOnly: isReadOnly, policy: policy)
        }
    }

    private static func connect(_ path: String, readOnly: Bool) throws(BlockError) -> NBDConnections {
        guard let location = NBDLocation(parsing: path) else {
            throw BlockError(
                .unsupported,
                "'\(path)' is neither nbd://host/name nor nbd+unix:///name?socket=path, nor one of these as nbds with "
                    + "tls-certificates=folder in its query")
        }
        return try NBDConnections(location, count: connectionCount, readOnly: readOnly)
    }

    /// To an export that a mirror fills.
    static let connectionCount = 4

    private static func imageFormat(_ name: String) throws(BlockError) -> ImageFormat {
        guard let format = ImageFormat(parsing: name) else {
            throw BlockError(.unsupported, "'\(name)' is not an image format; expected raw, vhd or qcow2")
        }
        return format
    }
}
