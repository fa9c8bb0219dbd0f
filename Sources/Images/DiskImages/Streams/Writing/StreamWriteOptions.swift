public import BlockIO
public import CoreTypes

/// How a disk is written as a stream.
public struct StreamWriteOptions: Hashable, Sendable {
    /// Cluster size and refcount width of qcow2, subformat of VHD. What cannot be streamed is refused: a parent, an
    /// external data file, preallocation, version 2, extended L2 entries.
    public var image = CreateOptions()
    /// Reads all data while planning, and leaves out units that hold only zeroes. The source is read twice then.
    public var dropsZeroes = false
    /// What the device's holes are the same as: the stream is a differencing VHD, or a qcow2 overlay, which names it.
    public var base: Base?

    /// The disk that a stream is the difference to.
    public struct Base: Hashable, Sendable {
        public let name: String
        public let format: ParentFormat
        /// What a VHD records of it; nil where that is its name only.
        let record: VHDParent?

        /// A name only, nothing is opened: ASCII letters, digits, `-`, `_`, and `.` inside; never a path. Takes the last part of `path`; what can be no name, or could mean something else to other programs, becomes `base`.
        public init(path: String, format: ImageFormat) {
            let last = path.split(separator: "/").last ?? ""
            let isPlain = last.utf8.count <= 255 && last.first != "." && last.first != "-"
            let allowed = last.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            name = isPlain && allowed && !last.isEmpty ? String(last) : "base"
            self.format = .image(format)
            record = nil
        }

        /// The name as it is given, as a file that is made would store it: a relative one is looked up from where this process
        /// runs. A differencing VHD records the parent's identity, too.
        /// - Throws: `.unsupported` when an image of `format` cannot have such a parent; `.denied` for a name that could mean
        ///   something else to other programs.
        public init(naming parent: CreateOptions.Parent, for format: ImageFormat) throws(BlockError) {
            try FormatCapabilities.check(parent.format, of: format)
            if format == .vhd {
                record = try VHDParent(parent.reference(from: ""), name: parent.name)
            } else {
                var image = CreateOptions()
                image.parent = parent
                try image.checkQCOW2()
                record = nil
            }
            name = parent.name
            self.format = parent.format
        }
    }

    public init(image: CreateOptions = CreateOptions(), dropsZeroes: Bool = false, base: Base? = nil) {
        self.image = image
        self.dropsZeroes = dropsZeroes
        self.base = base
    }
}
