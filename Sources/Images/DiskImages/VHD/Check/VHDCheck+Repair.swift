import BlockIO
import CoreTypes

/// The repairs, after all findings.
extension VHDCheck {
    func put(right device: DynamicVHD) throws(BlockError) {
        if work != [.locators] { try putTablesRight(device) }
        if work.contains(.locators) { try rewriteLocators(of: device) }
        try file.sync()
    }

    private func putTablesRight(_ device: DynamicVHD) throws(BlockError) {
        try device.commits.locked { () throws(BlockError) in
            try device.lock.exclusive { () throws(BlockError) in try device.prepare() }
            try device.commit()
            // Only now: what is prepared for writing takes the old map at its word.
            if work.contains(.batmap) { try rebuildMap(of: device) }
            if work.contains(.staleEntries) { try clearStaleEntries(of: device) }
            if work.contains(.footer) { try device.replaceFooter(Self.put(right: device.footer)) }
        }
    }

    /// The map says nothing but what the bitmaps say.
    private func rebuildMap(of device: DynamicVHD) throws(BlockError) {
        let sectors = 0..<Int(device.blockSize / 512)
        var map = [UInt8](repeating: 0, count: (device.table.count + 7) / 8)
        for block in 0..<device.table.count {
            guard let start = device.table.start(of: block) else { continue }
            if block % 1024 == 0 { try checkCancelled() }
            if try file.array(at: start, count: Int(device.bitmapSize)).areBitsSet(sectors) {
                map.setBits(block..<block + 1)
            }
        }
        try device.lock.exclusive { () throws(BlockError) in try device.storeMap(map) }
    }

    private func clearStaleEntries(of device: DynamicVHD) throws(BlockError) {
        for sector in try staleEntries(device).sectors {
            let entries = sector * 128..<(sector + 1) * 128
            try file.store(
                device.table.encoded(entries), at: device.header.tableOffset + UInt64(sector) * 512)
        }
        try file.sync()
    }

    /// The same parent, by the best name that is left, in all places that hold one.
    private func rewriteLocators(of device: DynamicVHD) throws(BlockError) {
        let names = try VHDParentNames(file: file, header: device.header, fileLength: device.layout.fileLength)
        guard let name = names.names.first else { return }
        try device.replaceParent(
            VHDParent(
                name: name, identifier: device.header.parentIdentifier, timestamp: device.header.parentTimestamp))
    }
}
