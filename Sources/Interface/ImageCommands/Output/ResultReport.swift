import BlockCopy

/// What a command has done, as its `--json` says it (docs/image-json.md). Each prints some of these.
struct ResultReport: Encodable {
    var filename: String
    var format: String
    var virtualSize: UInt64?
    var isVerified: Bool?
    /// What could not be read; nil where nobody asked to go on without.
    var lost: [LostRange]?
    var isLostExact: Bool?
    var backingFilename: String?
    var backingFormat: String?
    var isEmptied: Bool?
    var children: Int?

    enum CodingKeys: String, CodingKey {
        case filename, format, children
        case virtualSize = "virtual-size"
        case isVerified = "verified"
        case lost
        case isLostExact = "lost-exact"
        case backingFilename = "backing-filename"
        case backingFormat = "backing-filename-format"
        case isEmptied = "emptied"
    }

    mutating func tell(_ lost: LostRanges) {
        self.lost = lost.ranges.map { LostRange(start: $0.lowerBound, length: UInt64($0.count)) }
        isLostExact = !lost.isCoarse
    }
}

/// Bytes of a disk that are zeroes in its copy because they could not be read.
struct LostRange: Encodable {
    var start: UInt64
    var length: UInt64
}

/// The result of a comparison.
struct ComparisonReport: Encodable {
    var identical: Bool
    var sizes: [UInt64]
    /// The first byte that differs.
    var offset: UInt64?
}
