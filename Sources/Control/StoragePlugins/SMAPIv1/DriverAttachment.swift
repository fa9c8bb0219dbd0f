import CLinux
import CoreTypes
import Foundation
import StorageInterface

/// Where a driver put an attached VDI.
enum DriverAttachment: Hashable, Sendable {
    case nbd(NBDAddress)
    case path(String)

    /// The NBD export counts first: it is what the driver's own data path serves.
    init?(export: String, path: String) {
        if !export.isEmpty {
            guard let address = NBDAddress(parsing: export) else { return nil }
            self = .nbd(address)
        } else {
            guard path.hasPrefix("/"), !path.utf8.contains(0) else { return nil }
            self = .path(path)
        }
    }

    var access: VolumeAccess {
        switch self {
        case .nbd(let address): .nbd(socket: address.socket, export: address.export)
        // What a driver hands out is the disk's content, whatever the driver stores.
        case .path(let path): .image(path: path, format: .raw)
        }
    }

    /// There is something at the place: a file or device, or a server that takes connections.
    var isThere: Bool {
        switch self {
        case .nbd(let address):
            let descriptor = unsafe gantry_unix_connect(address.socket)
            if descriptor >= 0 { close(descriptor) }
            return descriptor >= 0
        case .path(let path): return FileManager.default.fileExists(atPath: path)
        }
    }
}
