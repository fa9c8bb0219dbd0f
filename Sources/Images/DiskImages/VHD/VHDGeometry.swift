/// Cylinders, heads and sectors per track, as the VHD specification's appendix computes them.
struct VHDGeometry: Hashable, Sendable {
    var cylinders: UInt16
    var heads: UInt8
    var sectorsPerTrack: UInt8

    /// The most the three fields can say, about 127.5 GiB; it stands for "use the current size".
    static let maximum = VHDGeometry(cylinders: 65535, heads: 16, sectorsPerTrack: 255)

    init(cylinders: UInt16, heads: UInt8, sectorsPerTrack: UInt8) {
        self.cylinders = cylinders
        self.heads = heads
        self.sectorsPerTrack = sectorsPerTrack
    }

    /// The geometry of a disk of `bytes`: its product never exceeds them.
    init(size bytes: UInt64) {
        let sectors = min(bytes / 512, 65535 * 16 * 255)
        var tracks: UInt64
        var heads: UInt64
        var perTrack: UInt64
        if sectors >= 65535 * 16 * 63 {
            (perTrack, heads) = (255, 16)
            tracks = sectors / perTrack
        } else {
            perTrack = 17
            tracks = sectors / perTrack
            heads = max((tracks + 1023) / 1024, 4)
            if tracks >= heads * 1024 || heads > 16 {
                (perTrack, heads) = (31, 16)
                tracks = sectors / perTrack
            }
            if tracks >= heads * 1024 {
                (perTrack, heads) = (63, 16)
                tracks = sectors / perTrack
            }
        }
        // At most 65535 / 16 / 255 by the cap above.
        cylinders = UInt16(tracks / heads)
        self.heads = UInt8(heads)
        sectorsPerTrack = UInt8(perTrack)
    }

    /// Bytes of the product of the three.
    var size: UInt64 { UInt64(cylinders) * UInt64(heads) * UInt64(sectorsPerTrack) * 512 }
}
