import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface

/// How a volume becomes a VDI row.
enum VDIRow {
    /// Fields of a volume that nobody has told us more about.
    static func fill(_ row: inout NewRow, _ volume: Volume, sr: Ref<SR>) {
        row[VDI.uuid] = volume.uuid.isEmpty ? Fresh.uuid() : volume.uuid
        row[VDI.sr] = sr
        row[VDI.location] = volume.location
        row[VDI.virtualSize] = Int64(clamping: volume.virtualSize)
        row[VDI.physicalUtilisation] = Int64(clamping: volume.physicalSize)
        row[VDI.type] = .user
        row[VDI.managed] = !volume.isHidden
        if volume.isHidden { row[VDI.nameLabel] = baseLabel }
        row[VDI.missing] = false
        if volume.isReadOnly { row[VDI.readOnly] = true }
        if !volume.nameLabel.isEmpty { row[VDI.nameLabel] = volume.nameLabel }
        row[VDI.currentOperations] = [:]
        row[VDI.cbtEnabled] = volume.isTracked ?? false
        if volume.isChangeLog {
            row[VDI.type] = .cbtMetadata
            row[VDI.isASnapshot] = true
        }
        var config = volume.format.map { ["image-format": $0.rawValue] } ?? [:]
        config["vhd-parent"] = volume.parentUUID
        row[VDI.smConfig] = config
    }

    private static let baseLabel = "base copy"

    /// By whoever has looked at all images of the SR: what was hidden, and nothing stands on any more, is a disk.
    static func show(_ vdi: Ref<VDI>, _ volume: Volume, in tx: Transaction) throws(APIError) {
        let row = try tx.require(vdi)
        guard !volume.isHidden, !row[VDI.managed], row[VDI.nameLabel] == baseLabel else { return }
        try tx.set(vdi, VDI.managed, true)
        try tx.set(vdi, VDI.nameLabel, "")
    }

    /// What a driver says of a volume now: place and format too, which a snapshot may change.
    static func refresh(_ vdi: Ref<VDI>, _ volume: Volume, in tx: Transaction) throws(APIError) {
        let row = try tx.require(vdi)
        try tx.set(vdi, VDI.virtualSize, Int64(clamping: volume.virtualSize))
        try tx.set(vdi, VDI.physicalUtilisation, Int64(clamping: volume.physicalSize))
        try tx.set(vdi, VDI.location, volume.location)
        var config = row[VDI.smConfig]
        if volume.isChangeLog { config = config.filter { $0.key != "image-format" && $0.key != "type" } }
        if let format = volume.format, config["image-format"] != format.rawValue {
            config["image-format"] = format.rawValue
            if config["type"] != format.rawValue { config["type"] = nil }
        }
        config["vhd-parent"] = volume.parentUUID
        if config != row[VDI.smConfig] { try tx.set(vdi, VDI.smConfig, config) }
        if let isTracked = volume.isTracked, isTracked != row[VDI.cbtEnabled] {
            try tx.set(vdi, VDI.cbtEnabled, isTracked)
        }
        if volume.isChangeLog && row[VDI.type] != .cbtMetadata {
            try tx.set(vdi, VDI.type, .cbtMetadata)
            try tx.set(vdi, VDI.readOnly, true)
        }
        // Never the other way: that nothing stands on it must be seen by whoever looks at all images.
        if volume.isHidden && row[VDI.managed] { try tx.set(vdi, VDI.managed, false) }
    }

    /// The new row of a moved disk: who it is and what it was called, with the new volume's place and sizes.
    static func fill(_ row: inout NewRow, movedFrom source: Row, _ volume: Volume, sr: Ref<SR>) {
        fill(&row, volume, sr: sr)
        row[VDI.nameLabel] = source[VDI.nameLabel]
        row[VDI.nameDescription] = source[VDI.nameDescription]
        row[VDI.type] = source[VDI.type]
        row[VDI.sharable] = source[VDI.sharable]
        row[VDI.readOnly] = source[VDI.readOnly]
        row[VDI.otherConfig] = source[VDI.otherConfig]
        row[VDI.xenstoreData] = source[VDI.xenstoreData]
        row[VDI.tags] = source[VDI.tags]
        row[VDI.onBoot] = source[VDI.onBoot]
        row[VDI.allowCaching] = source[VDI.allowCaching]
        row[VDI.isASnapshot] = source[VDI.isASnapshot]
        row[VDI.snapshotOf] = source[VDI.snapshotOf]
        row[VDI.snapshotTime] = source[VDI.snapshotTime]
        var config = source[VDI.smConfig].filter { $0.key != "type" }
        config["image-format"] = volume.format?.rawValue
        config["vhd-parent"] = volume.parentUUID
        row[VDI.smConfig] = config
    }
}
