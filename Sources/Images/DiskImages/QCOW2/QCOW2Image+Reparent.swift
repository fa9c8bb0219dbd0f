internal import BlockIO
internal import CoreTypes
internal import Synchronization

extension QCOW2Image {
    /// Gives an image that is not open another backing file, or (nil) none: its name and format change in one step.
    static func replaceParent(
        storage: any ImageStorage, name: String?, format: ParentFormat?
    ) throws(BlockError) {
        var header = try readHeader(storage, fileSize: try storage.size())
        guard header.incompatible.subtracting(.known).isEmpty, !header.incompatible.contains(.corrupt) else {
            throw BlockError(.unsupported, "the image is damaged or has features that are not known here")
        }
        if let name, name.utf8.count > Int(QCOW2Limits.backingNameBytes) {
            throw BlockError(
                .limitExceeded, "the name of a backing file has \(QCOW2Limits.backingNameBytes) bytes at most")
        }
        header.backingName = name
        header.extensions.backingFormat = name == nil ? nil : format?.storedName
        try header.rewrite(on: storage)
    }

    /// Makes the image hold nothing itself: everything shows the backing file (or zeroes) again. Nobody else uses it.
    /// A crash leaves everything or nothing, and leaked clusters at worst.
    func removeContent() throws(BlockError) {
        try metadata.locked { () throws(BlockError) in
            let refcounts = try beginTreeChange()
            let old = l1.words
            let oldRun = ClusterRun(
                start: l1.offset >> UInt64(geometry.clusterBits), count: geometry.clusters(UInt64(old.count) * 8))
            try checkApart(old, refcounts)
            let new = [UInt64](repeating: 0, count: old.count)
            let run = try allocateTable(new.count * 8, refcounts)
            do throws(BlockError) {
                try storeTable(new, in: run)
                try writeCounts(refcounts)
            } catch {
                try? refcounts.release(run)
                throw error
            }
            let offset = run.start << UInt64(geometry.clusterBits)
            var fields: [UInt8] = []
            fields.appendBigEndian(UInt32(new.count))
            fields.appendBigEndian(offset)
            try switchHeader(fields, at: QCOW2Header.Offset.l1Table, refcounts)
            pending?.header.l1Offset = offset
            mapping.exclusive {
                l1.replace(new, at: offset)
                tables.reset(keyCount: new.count)
            }
            markAllDirty()
            for cluster in run.start..<run.end { refcounts.structures.insert(cluster) }
            for cluster in oldRun.start..<oldRun.end { refcounts.structures.remove(cluster) }
            try release(old, refcounts)
            try refcounts.release(oldRun)
            try writeCounts(refcounts)
        }
    }
}
