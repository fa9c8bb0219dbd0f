import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import NBDTransport

/// Opens what a specification names.
enum DeviceOpening {
    /// `.unsupported` for an unknown format, `.notFound`, `.busy` and the like from what is opened.
    static func open(_ image: ImageSpecification, readOnly: Bool) throws(BlockError) -> any BlockDevice {
        if image.format == ImageSpecification.nbd {
            guard let address = NBDAddress(parsing: image.path) else {
                throw BlockError(.unsupported, "'\(image.path)' is not nbd:unix:<socket>:exportname=<name>")
            }
            return try NBDClient.connect(unixSocket: address.socket, exportName: address.export, readOnly: readOnly)
        }
        guard let format = ImageFormat(parsing: image.format) else {
            throw BlockError(.unsupported, "'\(image.format)' is not an image format; expected raw, vhd or qcow2")
        }
        return try DiskImage.open(path: image.path, format: format, readOnly: readOnly)
    }
}
