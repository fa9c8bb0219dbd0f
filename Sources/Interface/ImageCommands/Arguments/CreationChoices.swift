import BlockIO
import CoreTypes
import DiskImages

extension CreateOptions {
    /// What `-o` is said to take in help texts.
    static let help = """
        Options, key=value with commas between (a comma in a value is written twice): subformat, max_size (vhd); cluster_size, compat, refcount_bits, \
        lazy_refcounts, extended_l2, compression_type, data_file, data_file_raw (qcow2); backing_file, backing_fmt (vhd, \
        qcow2); preallocation (all).
        """

    /// Reads all `-o` words of a command line and refuses those that the format has no use for.
    static func reading(_ words: [String], for format: ImageFormat) throws(CommandFailure) -> CreateOptions {
        let pairs = words.flatMap(Self.pairs)
        for pair in pairs {
            let key = String(pair.prefix { $0 != "=" })
            if let owners = Self.knownKeys[key], !owners.contains(format) {
                throw CommandFailure(
                    "cannot use -o \(pair)",
                    why: "\(key) belongs to \(owners.map(\.rawValue).joined(separator: " and ")) images, not to "
                        + format.rawValue,
                    advice: "leaving it out", status: CommandFailure.Status.usage)
            }
        }
        do throws(BlockError) {
            return try CreateOptions(pairs: pairs)
        } catch {
            throw CommandFailure(
                "cannot use -o \(words.joined(separator: ","))", why: error.description,
                status: CommandFailure.Status.usage)
        }
    }
}
