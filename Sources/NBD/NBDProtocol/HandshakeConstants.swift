// Numbers of the handshake phase: NBD protocol description, "Fixed newstyle negotiation", "Option types",
// "Option reply types", "Information types". All integers on the wire are big-endian.

/// Magic numbers that open each structure.
public enum NBDMagic {
    /// "NBDMAGIC", first eight bytes a server sends.
    public static let greeting: UInt64 = 0x4e42_444d_4147_4943
    /// "IHAVEOPT": second word of a newstyle greeting, and the start of every option.
    public static let option: UInt64 = 0x4948_4156_454f_5054
    public static let optionReply: UInt64 = 0x0003_e889_0455_65a9
    public static let request: UInt32 = 0x2560_9513
    public static let simpleReply: UInt32 = 0x6744_6698
    public static let structuredReply: UInt32 = 0x668e_33ef
}

/// Sent by the server in its greeting (16 bits) and answered by the client (32 bits) with the same meanings.
public struct HandshakeFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let fixedNewstyle = HandshakeFlags(rawValue: 1 << 0)
    /// Leave out the 124 zero bytes at the end of the answer to EXPORT_NAME.
    public static let noZeroes = HandshakeFlags(rawValue: 1 << 1)
}

/// Options a client may send.
public enum NBDOption {
    public static let exportName: UInt32 = 1
    public static let abort: UInt32 = 2
    public static let list: UInt32 = 3
    public static let startTLS: UInt32 = 5
    public static let info: UInt32 = 6
    public static let go: UInt32 = 7
    public static let structuredReply: UInt32 = 8
    public static let listMetaContext: UInt32 = 9
    public static let setMetaContext: UInt32 = 10
}

/// What a server answers to an option.
public enum OptionReply {
    public static let ack: UInt32 = 1
    public static let server: UInt32 = 2
    public static let info: UInt32 = 3
    public static let metaContext: UInt32 = 4
    static let errorBit: UInt32 = 1 << 31
    public static let unsupported: UInt32 = errorBit | 1
    public static let policy: UInt32 = errorBit | 2
    public static let invalid: UInt32 = errorBit | 3
    public static let platform: UInt32 = errorBit | 4
    public static let tlsRequired: UInt32 = errorBit | 5
    public static let unknown: UInt32 = errorBit | 6
    public static let shutdown: UInt32 = errorBit | 7
    public static let blockSizeRequired: UInt32 = errorBit | 8
    public static let tooBig: UInt32 = errorBit | 9

    public static func isError(_ reply: UInt32) -> Bool { reply & errorBit != 0 }
}

/// Items of information in answers to INFO and GO.
public enum InfoType {
    public static let export: UInt16 = 0
    public static let name: UInt16 = 1
    public static let description: UInt16 = 2
    public static let blockSize: UInt16 = 3
}

/// The metadata contexts that are built: `base:allocation`, and one for each dirty bitmap of an export.
public enum MetaContext {
    public static let allocation = "base:allocation"
    /// What stands before a bitmap's name. Bit 0 of an extent's status is set where the content has changed.
    public static let dirtyBitmap = "qemu:dirty-bitmap:"
    public static let isDirty: UInt32 = 1
    /// The number this server gives `base:allocation` in its replies.
    public static let allocationIdentifier: UInt32 = 1
    /// Longest name of a bitmap, in bytes.
    public static let longestBitmapName = 255

    /// The number this server gives the bitmap at `index` of an export's.
    public static func bitmapIdentifier(_ index: Int) -> UInt32 { UInt32(2 + index) }
}

/// Bounds on what a peer may ask or send. All in bytes unless named otherwise.
public enum NBDLimits {
    /// Longest option data that is kept; longer ones are read past and refused.
    public static let optionData = 64 << 10
    /// Longest option data that is read past; beyond it the connection ends.
    public static let drainedOptionData = 1 << 20
    /// Longest export name and other string (protocol description, "Values", strings).
    public static let name = 4096
    /// Bitmaps of one export that are offered.
    public static let bitmaps = 256
    /// Options in one handshake.
    public static let options = 1024
    /// Names in one handshake that somebody is asked about.
    public static let lookups = 16
    /// Longest payload of one read or write request.
    public static let payload: UInt32 = 32 << 20
    /// Largest export that a client takes: offsets are signed where files are.
    public static let exportSize = UInt64(Int64.max)
    /// Most extents in one answer to BLOCK_STATUS.
    public static let extents = 4096
}
