// Numbers of the transmission phase: NBD protocol description, "Transmission flags", "Command flags",
// "Structured reply types", "Request types", "Error values", and "base:allocation".

/// What an export can do; 16 bits sent with its size.
public struct TransmissionFlags: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public static let hasFlags = TransmissionFlags(rawValue: 1 << 0)
    public static let readOnly = TransmissionFlags(rawValue: 1 << 1)
    public static let flush = TransmissionFlags(rawValue: 1 << 2)
    public static let forceUnitAccess = TransmissionFlags(rawValue: 1 << 3)
    public static let rotational = TransmissionFlags(rawValue: 1 << 4)
    public static let trim = TransmissionFlags(rawValue: 1 << 5)
    public static let writeZeroes = TransmissionFlags(rawValue: 1 << 6)
    /// DF is understood; only after structured replies were agreed on.
    public static let dontFragment = TransmissionFlags(rawValue: 1 << 7)
    /// A flush on one connection covers the writes answered on all others.
    public static let multipleConnections = TransmissionFlags(rawValue: 1 << 8)
    public static let cache = TransmissionFlags(rawValue: 1 << 10)
    public static let fastZero = TransmissionFlags(rawValue: 1 << 11)
}

/// Request types.
public enum NBDCommand {
    public static let read: UInt16 = 0
    public static let write: UInt16 = 1
    public static let disconnect: UInt16 = 2
    public static let flush: UInt16 = 3
    public static let trim: UInt16 = 4
    public static let cache: UInt16 = 5
    public static let writeZeroes: UInt16 = 6
    public static let blockStatus: UInt16 = 7
}

/// Flags of one request.
public struct CommandFlags: OptionSet, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    public static let forceUnitAccess = CommandFlags(rawValue: 1 << 0)
    /// WRITE_ZEROES: keep the space allocated.
    public static let noHole = CommandFlags(rawValue: 1 << 1)
    /// READ: one chunk of data only.
    public static let dontFragment = CommandFlags(rawValue: 1 << 2)
    /// BLOCK_STATUS: one extent is enough.
    public static let one = CommandFlags(rawValue: 1 << 3)
    /// WRITE_ZEROES: fail rather than write the zeroes out.
    public static let fastZero = CommandFlags(rawValue: 1 << 4)
}

/// Error values in replies: fixed numbers, whatever the host's errno says.
public enum NBDErrno {
    public static let permission: UInt32 = 1
    public static let io: UInt32 = 5
    public static let noMemory: UInt32 = 12
    public static let invalid: UInt32 = 22
    public static let noSpace: UInt32 = 28
    public static let overflow: UInt32 = 75
    public static let notSupported: UInt32 = 95
    public static let shutdown: UInt32 = 108
}

/// Types of chunks in structured replies.
public enum ChunkType {
    public static let none: UInt16 = 0
    public static let offsetData: UInt16 = 1
    public static let offsetHole: UInt16 = 2
    public static let blockStatus: UInt16 = 5
    static let errorBit: UInt16 = 1 << 15
    public static let error: UInt16 = errorBit | 1
    public static let errorOffset: UInt16 = errorBit | 2

    public static func isError(_ type: UInt16) -> Bool { type & errorBit != 0 }
}

/// Bits of an extent's status in the `base:allocation` context.
public enum AllocationState {
    public static let hole: UInt32 = 1
    public static let zero: UInt32 = 2
}
