import BlockIO

extension VHDLayout {
    /// Runs of a file that are asked for: more than any image has whose end is looked for.
    private static let mostRuns = 65536
    /// Zeroes at the end of the last run of data that are read, bytes.
    private static let mostZeroes: UInt64 = 1 << 20

    /// The footer of a fixed image whose file got longer, in a crash, without the footer that was to end it: the last
    /// sector of the file that is not zero. A guest writes in front of its footer, never behind it, so it cannot make
    /// one; and as only zeroes follow, nothing is lost where the image ends with it. Nil when it is something else.
    /// The caller has found zeroes in the last sector.
    static func strandedFooter(_ file: any ImageStorage, _ length: UInt64) throws(BlockError) -> VHDFooter? {
        guard length % 512 == 0, !file.isBlockDevice else { return nil }
        var position: UInt64 = 0
        var dataEnd: UInt64 = 0
        var runs = 0
        while position < length {
            let run = try file.run(at: position, end: length)
            if run.isData { dataEnd = run.end }
            position = run.end
            runs += 1
            if runs > mostRuns { return nil }
        }
        var place = min(length, (dataEnd + 511) & ~511)
        let floor = place - min(place, mostZeroes)
        while place > floor {
            place -= 512
            let bytes = try file.array(at: place, count: VHDFooter.size)
            if bytes.allSatisfy({ $0 == 0 }) { continue }
            // What an old file has between its disk and its footer it keeps while it grows (`FixedVHD.grow`).
            guard let footer = VHDFooter(bytes), footer.kind == .fixed, footer.currentSize <= place,
                footer.virtualSize <= place
            else { return nil }
            return footer
        }
        return nil
    }
}
