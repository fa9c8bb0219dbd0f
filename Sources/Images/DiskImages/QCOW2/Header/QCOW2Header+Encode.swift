internal import BlockIO

extension QCOW2Header {
    /// The bytes of the header, its extensions and the backing file name, as the beginning of the first cluster.
    ///
    /// The table of feature names is left out where it does not fit.
    /// - Throws: `.limitExceeded` when the rest does not fit into the first cluster.
    func encoded() throws(BlockError) -> [UInt8] {
        let records = extensions.encoded(withNames: version >= 3)
        if let bytes = laidOut(records, nameNotBefore: 0) { return bytes }
        if let bytes = laidOut(extensions.encoded(withNames: false), nameNotBefore: 0) { return bytes }
        throw BlockError(
            .limitExceeded, "the backing file name and the header's extensions do not fit into the first cluster")
    }

    /// Replaces the header in the file by this one, durable when this returns. Nothing else of the image may change with
    /// it: the fields of a table that moved have writes of their own.
    ///
    /// A crash leaves the old header or this one as far as that is possible: what lies behind the first sector is
    /// written first, in places that the old header does not use, and then one sector switches over. For that the table
    /// of feature names goes when something before it changed its length.
    func rewrite(on storage: any ImageStorage) throws(BlockError) {
        let sector = 512
        let count = Int(clusterSize)
        let old = try storage.array(at: 0, count: count)
        let before = try QCOW2Header(old, fileSize: max(storage.size(), clusterSize), checksTables: false)
        let kept = Int(before.backingOffset) + Int(before.backingLength)

        func fits(_ candidate: [UInt8]?) -> [UInt8]? {
            guard let candidate, candidate.count <= count else { return nil }
            return candidate
        }
        func keepsRecords(_ candidate: [UInt8], _ records: [UInt8]) -> Bool {
            let end = encodedLength + records.count
            return end <= sector || candidate[sector..<end] == old[sector..<end]
        }
        let named = extensions.encoded(withNames: version >= 3)
        let bare = extensions.encoded(withNames: false)
        var new: [UInt8]?
        for records in [named, bare] where new == nil {
            for notBefore in [0, kept] where new == nil {
                guard let candidate = fits(laidOut(records, nameNotBefore: notBefore)) else { continue }
                let nameAt = candidate.count - (nameBytes?.count ?? backingName?.utf8.count ?? 0)
                let sameName = candidate[nameAt...] == old[nameAt..<candidate.count]
                let isApart = nameAt >= kept || candidate.count <= Int(before.backingOffset)
                let isSafe = candidate.count <= sector || sameName || (nameAt >= sector && isApart)
                if isSafe && keepsRecords(candidate, records) { new = candidate }
            }
        }
        var bytes: [UInt8]
        if let new { bytes = new } else { bytes = try encoded() }
        bytes += [UInt8](repeating: 0, count: count - bytes.count)
        let first = bytes[..<sector]
        // What the switch makes free behind the first sector is blanked after it.
        var behind = bytes
        if new != nil {
            for index in sector..<count where bytes[index] == 0 { behind[index] = old[index] }
        }
        try Self.storeChanges(from: old, to: behind, in: sector..<count, on: storage)
        if first != old[..<sector] {
            try storage.store(Array(first), at: 0)
            try storage.sync()
        }
        try Self.storeChanges(from: behind, to: bytes, in: sector..<count, on: storage)
    }

    private static func storeChanges(
        from old: [UInt8], to new: [UInt8], in range: Range<Int>, on storage: any ImageStorage
    ) throws(BlockError) {
        var isChanged = false
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 512) {
            let part = new[start..<start + 512]
            if part == old[start..<start + 512] { continue }
            try storage.store(Array(part), at: UInt64(start))
            isChanged = true
        }
        if isChanged { try storage.sync() }
    }

    /// Bytes of the fields as they are written: a multiple of 8, with room for the compression type in version 3.
    private var encodedLength: Int {
        version == 2 ? Self.version2Length : max(112, (105 + laterFields.count + 7) & ~7)
    }

    /// Fields, records, and the backing file name at or after `nameNotBefore`; nil when that exceeds a cluster.
    private func laidOut(_ records: [UInt8], nameNotBefore: Int) -> [UInt8]? {
        let name = nameBytes ?? backingName.map { Array($0.utf8) } ?? []
        var bytes: [UInt8] = []
        let nameAt = name.isEmpty ? 0 : max(encodedLength + records.count, nameNotBefore)
        bytes.appendBigEndian(Self.magic)
        bytes.appendBigEndian(version)
        bytes.appendBigEndian(UInt64(nameAt))
        bytes.appendBigEndian(UInt32(name.count))
        bytes.appendBigEndian(clusterBits)
        bytes.appendBigEndian(size)
        bytes.appendBigEndian(encryption)
        bytes.appendBigEndian(l1Entries)
        bytes.appendBigEndian(l1Offset)
        bytes.appendBigEndian(refcountTableOffset)
        bytes.appendBigEndian(refcountTableClusters)
        bytes.appendBigEndian(snapshotCount)
        bytes.appendBigEndian(snapshotsOffset)
        if version >= 3 {
            bytes.appendBigEndian(incompatible.rawValue)
            bytes.appendBigEndian(compatible)
            bytes.appendBigEndian(autoclear)
            bytes.appendBigEndian(refcountOrder)
            bytes.appendBigEndian(UInt32(encodedLength))
            bytes.append(compressionType)
            bytes += laterFields
            bytes += [UInt8](repeating: 0, count: encodedLength - bytes.count)
        }
        bytes += records
        if !name.isEmpty {
            bytes += [UInt8](repeating: 0, count: nameAt - bytes.count)
            bytes += name
        }
        return UInt64(bytes.count) <= clusterSize ? bytes : nil
    }
}
