import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface

extension StorageContext {
    /// What can be decided by: of what the manager declares here, that which its SM row promises, and so every host of the pool
    /// can do. No formats: the hosts have none in common, unless the manager itself declares none, and decides.
    func promised(_ manager: any StorageManager) -> StorageManagerInfo {
        var info = manager.info
        let type = info.type
        guard let row = database.read({ $0.rows(SM.self) { $0[SM.type] == type } }).first else { return info }
        let formats = row[SM.supportedImageFormats]
        info.supportedImageFormats = info.supportedImageFormats.filter { formats.contains($0.declared) }
        let features = row[SM.features]
        info.features = info.features.filter { features[$0.key] != nil }
        return info
    }
}
