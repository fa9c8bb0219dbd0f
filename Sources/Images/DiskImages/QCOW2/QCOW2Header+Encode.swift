extension QCOW2Header {
    /// The bytes of a header of version 3 with its feature name table, for a new image without a backing file.
    func encoded() -> [UInt8] {
        precondition(version == 3 && length == 112 && backingName == nil, "only new images are encoded whole")
        var bytes: [UInt8] = []
        bytes.appendBigEndian(Self.magic)
        bytes.appendBigEndian(version)
        bytes.appendBigEndian(UInt64(0))
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(clusterBits)
        bytes.appendBigEndian(size)
        bytes.appendBigEndian(encryption)
        bytes.appendBigEndian(l1Entries)
        bytes.appendBigEndian(l1Offset)
        bytes.appendBigEndian(refcountTableOffset)
        bytes.appendBigEndian(refcountTableClusters)
        bytes.appendBigEndian(snapshotCount)
        bytes.appendBigEndian(snapshotsOffset)
        bytes.appendBigEndian(incompatible.rawValue)
        bytes.appendBigEndian(compatible)
        bytes.appendBigEndian(autoclear)
        bytes.appendBigEndian(refcountOrder)
        bytes.appendBigEndian(length)
        bytes.append(compressionType)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 7))

        let table = QCOW2HeaderExtensions.ownFeatureNames
        // A cluster of 512 bytes holds all of it: 112 + 8 + 8 × 48 + 8 = 512.
        bytes.appendBigEndian(QCOW2HeaderExtensions.Kind.featureNames)
        bytes.appendBigEndian(UInt32(table.count * 48))
        for feature in table {
            bytes.append(feature.kind)
            bytes.append(feature.bit)
            let name = Array(feature.name.utf8.prefix(46))
            bytes.append(contentsOf: name)
            bytes.append(contentsOf: [UInt8](repeating: 0, count: 46 - name.count))
        }
        bytes.appendBigEndian(QCOW2HeaderExtensions.Kind.end)
        bytes.appendBigEndian(UInt32(0))
        return bytes
    }
}
