import BlockIO
import CoreTypes
import DiskImages
import Foundation

extension FileRepository {
    /// Makes an image at a name that nobody knows yet. One sync makes all of it durable, before anybody can give it a name that
    /// counts; nothing is left when this throws.
    static func make(
        _ temporary: String, _ format: ImageFormat, size: UInt64, _ options: CreateOptions, _ policy: OpenPolicy
    ) throws(BlockError) {
        let image = try DiskImage.create(
            path: temporary, format: format, size: size, options: options, policy: policy, isUnpublished: true)
        do throws(BlockError) {
            let unsynced: ImageFile
            do throws(BlockError) {
                unsynced = try ImageFile(path: temporary, access: .readWrite, locking: false, followsLinks: false)
            } catch {
                try? image.close()
                throw error
            }
            defer { unsynced.close() }
            try image.close()
            try unsynced.sync()
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }
}
