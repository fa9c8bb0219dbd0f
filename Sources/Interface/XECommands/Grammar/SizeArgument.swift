import CoreTypes

extension CommandArguments {
    /// A size in bytes: an integer with an optional binary suffix (`16GiB`, `512MB`).
    func size(_ name: String) throws(CommandLineError) -> UInt64? {
        guard let text = self[name] else { return nil }
        return try Self.size(text, of: name)
    }

    static func size(_ text: String, of name: String) throws(CommandLineError) -> UInt64 {
        guard let count = ByteCount(parsing: text), count.bytes <= UInt64(Int64.max) else {
            throw .failed(
                "Failed to parse parameter '\(name)': expecting an integer, possibly with one of the suffixes "
                    + "bytes, KiB, MiB, GiB or TiB, not '\(text)'")
        }
        return count.bytes
    }
}
