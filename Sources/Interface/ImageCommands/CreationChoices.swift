import BlockIO
import CoreTypes
import DiskImages

extension CreateOptions {
    /// Reads all `-o` words of a command line and refuses those that the format has no use for.
    static func reading(_ words: [String], for format: ImageFormat) throws(CommandFailure) -> CreateOptions {
        for word in words {
            for pair in word.split(separator: ",") {
                let key = String(pair.prefix { $0 != "=" })
                let owner: ImageFormat? =
                    switch key {
                    case "subformat": .vhd
                    case "cluster_size": .qcow2
                    default: nil
                    }
                if let owner, owner != format {
                    throw CommandFailure(
                        "cannot use -o \(pair)",
                        why: "\(key) belongs to \(owner.rawValue) images, not to \(format.rawValue)",
                        advice: "leaving it out", status: CommandFailure.Status.usage)
                }
                if Self.planned.contains(key) {
                    throw .notBuilt("the creation option \(key)", advice: "leaving it out for the default")
                }
            }
        }
        do throws(BlockError) {
            return try CreateOptions(parsing: words.joined(separator: ","))
        } catch {
            throw CommandFailure(
                "cannot use -o \(words.joined(separator: ","))", why: error.description,
                status: CommandFailure.Status.usage)
        }
    }

    /// Keys that qemu-img has and this version does not.
    private static let planned: Set<String> = [
        "compat", "compression_type", "preallocation", "refcount_bits", "lazy_refcounts", "extended_l2", "backing_file",
        "backing_fmt", "data_file", "data_file_raw", "encryption", "nocow", "force_size", "extent_size_hint",
    ]
}
