import CoreTypes
import DiskImages

/// One bitmap of an image, as `info` and `bitmap` tell of it; the JSON members are named as qemu-img names them.
struct BitmapLine: Encodable {
    let name: String
    let granularity: UInt64
    /// `auto`: writes are noted in it. `in-use`: it missed writes, or a program that has the image open keeps it.
    let flags: [String]

    init(_ bitmap: BitmapInfo) {
        name = bitmap.name
        granularity = bitmap.granularity
        flags = (bitmap.isInconsistent ? ["in-use"] : []) + (bitmap.isEnabled ? ["auto"] : [])
    }

    /// For people.
    var text: String {
        var words = ["\(ByteCount(granularity))", flags.contains("auto") ? "enabled" : "disabled"]
        if flags.contains("in-use") { words.append("in use, or missed writes") }
        return "\(name) (\(words.joined(separator: ", ")))"
    }
}
