import NBDProtocol

/// What a request costs of its disk's limits: what it makes the storage do, not how long its range is. A value.
///
/// | request | operations | bytes |
/// | --- | --- | --- |
/// | READ, WRITE | 1 | its length |
/// | CACHE | 1, of reads | its length, as far as it is read |
/// | WRITE_ZEROES that are written out | 1 | its length |
/// | WRITE_ZEROES otherwise, TRIM | 1 for each 64 MiB begun | 0 |
/// | BLOCK_STATUS | 1 for each GiB begun, of reads | 0 |
/// | FLUSH, DISC | 0 | 0 |
/// | what is refused | 1 | 0 |
///
/// A request without length is an operation like any other. Flushes are free: a limit must not make a guest's data less safe.
struct RequestPrice: Equatable {
    var operations: UInt64
    var bytes: UInt64
    let isRead: Bool

    var isPaid: Bool { operations == 0 && bytes == 0 }

    /// Bytes of a range that is given back, or zeroed without being written, for one operation.
    static let rangeUnit: UInt64 = 64 << 20
    /// The same for a range whose extents are looked up.
    static let statusUnit: UInt64 = 1 << 30
    /// Most that a CACHE reads, bytes.
    static let longestPrefetch: UInt64 = 32 << 20

    init(operations: UInt64, bytes: UInt64, isRead: Bool) {
        self.operations = operations
        self.bytes = bytes
        self.isRead = isRead
    }

    /// `isAccepted`: it will be done, and not be refused for its flags or range. `zeroesFast`: zeroes are not written out.
    init(_ request: NBDRequest, isAccepted: Bool, zeroesFast: Bool) {
        let length = UInt64(request.length)
        let (operations, bytes): (UInt64, UInt64) =
            switch request.command {
            case NBDCommand.flush, NBDCommand.disconnect: (0, 0)
            case _ where !isAccepted: (1, 0)
            case NBDCommand.read, NBDCommand.write: (1, length)
            case NBDCommand.cache: (1, min(length, Self.longestPrefetch))
            case NBDCommand.writeZeroes where !zeroesFast: (1, length)
            case NBDCommand.writeZeroes, NBDCommand.trim: (Self.units(length, Self.rangeUnit), 0)
            case NBDCommand.blockStatus: (Self.units(length, Self.statusUnit), 0)
            default: (1, 0)
            }
        self.init(
            operations: operations, bytes: bytes,
            isRead: ![NBDCommand.write, NBDCommand.trim, NBDCommand.writeZeroes].contains(request.command))
    }

    private static func units(_ length: UInt64, _ unit: UInt64) -> UInt64 { max(1, (length + unit - 1) / unit) }
}
