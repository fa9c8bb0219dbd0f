internal import BlockIO

/// The bitmaps: what they occupy, and which of them are damaged. A repair removes those and keeps everything that they
/// lie over.
extension QCOW2Checker {
    /// Parts that are looked at, neighbours as one.
    private static let mostParts = 1 << 21

    /// The image has bitmaps that it does not call valid any more, because somebody wrote to it who does not know them.
    /// Nobody uses them, and their clusters are leaks; once these are given back, nothing may name them.
    var bitmapsAreDisowned: Bool {
        header.version >= 3 && header.extensions.bitmapDirectory != nil
            && header.autoclear & QCOW2Image.bitmapsAutoclear == 0
    }

    /// What is to be done about the bitmaps before anything else is repaired.
    var bitmapsNeedRepair: Bool {
        bitmapsAreLost || bitmapsAreDisowned || bitmapDirectoryIsContested || !damagedBitmaps.isEmpty
    }

    func surveyBitmaps() throws(BlockError) {
        guard header.version >= 3, !bitmapsAreDisowned, let place = header.extensions.bitmapDirectory else { return }
        let directory: QCOW2BitmapDirectory
        do throws(BlockError) {
            directory = try QCOW2BitmapDirectory(header, geometry, storage)
        } catch {
            guard error.code == .corrupt else { throw error }
            report.add(.corruption, error.message, offset: place.offset)
            bitmapsAreLost = true
            return
        }
        guard let run = clusters(place.offset, place.length) else {
            report.add(.corruption, "the bitmap directory lies past the end of the file", offset: place.offset)
            bitmapsAreLost = true
            return
        }
        bitmapDirectory = directory
        bitmapParts.append(BitmapPart(run: run, kind: .directory, bitmap: -1))
        for (number, entry) in directory.entries.enumerated() { try surveyBitmap(number, entry) }
    }

    private func surveyBitmap(_ number: Int, _ bitmap: QCOW2BitmapEntry) throws(BlockError) {
        let entries = UInt64(bitmap.tableEntries)
        // A bitmap has at most 2^63 / 2^9 bits in clusters of 512 bytes, but its table is limited like QEMU's.
        guard entries > 0, entries <= 0x800_0000, let run = clusters(bitmap.tableOffset, entries * 8) else {
            damaged(
                number, "a bitmap table has no entries, too many, or lies past the end of the file", bitmap.tableOffset)
            return
        }
        add(run, .table, number)
        var index: UInt64 = 0
        while index < entries {
            try checkCancelled()
            let count = min(entries - index, 65536)
            for entry in try storage.words(at: bitmap.tableOffset + index * 8, count: Int(count)) where entry != 0 {
                let host = entry & QCOW2Entry.offsetMask
                if host == 0, entry == 1 { continue }
                guard entry & ~QCOW2Entry.offsetMask == 0, host & geometry.clusterMask == 0, host != 0,
                    let run = clusters(host, geometry.clusterSize)
                else {
                    damaged(number, "an entry of a bitmap table is not legal", bitmap.tableOffset)
                    continue
                }
                guard bitmapParts.count < Self.mostParts else {
                    throw BlockError(.limitExceeded, "the image's bitmaps are too large to be checked")
                }
                add(run, .bits, number)
            }
            index += count
        }
    }

    private func add(_ run: ClusterRun, _ kind: BitmapPart.Kind, _ number: Int) {
        let last = bitmapParts.count - 1
        if bitmapParts[last].bitmap == number, bitmapParts[last].kind == kind, bitmapParts[last].run.end == run.start {
            bitmapParts[last].run.count += run.count
        } else {
            bitmapParts.append(BitmapPart(run: run, kind: kind, bitmap: number))
        }
    }

    /// With all references of the window counted: a part of a bitmap is nobody else's.
    func judgeBitmaps() {
        for part in bitmapParts {
            let contested = (part.run.start..<part.run.end).first { window.references($0) > 1 }
            guard let contested else { continue }
            let offset = contested << UInt64(geometry.clusterBits)
            if part.kind == .directory {
                bitmapDirectoryIsContested = true
                report.add(.corruption, "the bitmap directory lies where something else does", offset: offset)
            } else {
                damaged(part.bitmap, "a \(part.kind.rawValue) lies where something else does", offset)
            }
        }
    }

    private func damaged(_ number: Int, _ problem: String, _ offset: UInt64) {
        damagedBitmaps.insert(number)
        report.add(.corruption, problem, offset: offset)
    }
}
