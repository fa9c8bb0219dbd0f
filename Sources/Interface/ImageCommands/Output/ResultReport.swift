/// What a command has done, as its `--json` says it (docs/image-json.md). Each prints some of these.
struct ResultReport: Encodable {
    var filename: String
    var format: String
    var virtualSize: UInt64?
    var isVerified: Bool?
    var backingFilename: String?
    var backingFormat: String?
    var isEmptied: Bool?
    var children: Int?

    enum CodingKeys: String, CodingKey {
        case filename, format, children
        case virtualSize = "virtual-size"
        case isVerified = "verified"
        case backingFilename = "backing-filename"
        case backingFormat = "backing-filename-format"
        case isEmptied = "emptied"
    }
}

/// The result of a comparison.
struct ComparisonReport: Encodable {
    var identical: Bool
    var sizes: [UInt64]
    /// The first byte that differs.
    var offset: UInt64?
}
