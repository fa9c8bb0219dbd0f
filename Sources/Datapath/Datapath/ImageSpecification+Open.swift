import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import NBDTransport

extension ImageSpecification {
    /// Opens a driver's NBD server, or the image with the parents that are given, whatever names it holds. `readOnly`
    /// overrides its own. `answerSeconds`: as `NBDClient`, where it is an export.
    func open(readOnly: Bool? = nil, answerSeconds: Double? = nil) throws(BlockError) -> any BlockDevice {
        if format == Self.nbd {
            guard let address = NBDAddress(parsing: path) else {
                throw BlockError(.unsupported, "'\(path)' is not nbd:unix:<socket>:exportname=<name>")
            }
            return try NBDClient.connect(
                unixSocket: address.socket, exportName: address.export, readOnly: readOnly ?? self.readOnly,
                answerSeconds: answerSeconds)
        }
        if format == Self.remote {
            return try UnflushedExport(Self.connect(path, readOnly ?? self.readOnly, answerSeconds))
        }
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

    private static func connect(
        _ path: String, _ readOnly: Bool, _ answerSeconds: Double?
    ) throws(BlockError) -> NBDConnections {
        guard let location = NBDLocation(parsing: path) else {
            throw BlockError(
                .unsupported,
                "'\(path)' is neither nbd://host/name nor nbd+unix:///name?socket=path, nor one of these as nbds with "
                    + "tls-certificates=folder in its query")
        }
        return try NBDConnections(location, count: connectionCount, readOnly: readOnly, answerSeconds: answerSeconds)
    }

    /// To an export that a mirror fills.
    static let connectionCount = 4

    /// A mirror's destination that says nothing for so long is lost, and tried again. Guests' writes do not wait so long for it
    /// (`Patience`). A slow one says something. The disk itself is waited for without end: a client of its own
    /// that gives up would turn a pause into an error.
    ///
    /// The mirror does not use the client that reconnects by itself, which promises less than it has: that one has to know
    /// that the server it lost is dead, or that it ends what it was asked before it takes the next client; over a network, or
    /// from a server that is not ours, nobody knows. The mirror marks what a lost connection may have left undone, connects
    /// anew and copies it again, compares both sides before the pivot where an old server may still write, and the guest goes
    /// on meanwhile instead of waiting. A driver's server that is the disk is not reconnected to either: only its driver can
    /// start it again, and what it is then the toolstack has to ask (`DriverExport`).
    static let destinationSilence = 30.0

    private static func imageFormat(_ name: String) throws(BlockError) -> ImageFormat {
        guard let format = ImageFormat(parsing: name) else {
            throw BlockError(.unsupported, "'\(name)' is not an image format; expected raw, vhd or qcow2")
        }
        return format
    }
}
