import BlockIO
import CLinux
import Glibc

/// What a process that moves one disk to or from a stream may take at most: what a stranger made is parsed in it, and
/// work or memory without end must end with it. Generous: no honest transfer comes near.
struct TransferLimits: Equatable, Sendable {
    /// Bytes of address space.
    var addressSpace: UInt64 = 4 << 30
    /// Seconds of processor time.
    var seconds: UInt64
    /// Bytes that a file may be long that is written; nil: files are not limited.
    var fileLength: UInt64?
    /// Open descriptors: chains of parents have one each.
    var descriptors: UInt64 = 256

    /// - Parameters:
    ///   - diskSize: virtual size, bytes.
    ///   - imageLength: length of the image's file now, bytes; nil for a block device, which no limit is for.
    ///   - largestSpill: most bytes that are kept in a file without a name meanwhile.
    static func importing(diskSize: UInt64, imageLength: UInt64?, largestSpill: UInt64) -> TransferLimits {
        // An image grows by its disk and by what describes that: as much again where a VHD has blocks of one sector.
        let (disk, isTooLarge) = diskSize.multipliedReportingOverflow(by: 2)
        let (growth, isTooMuch) = disk.addingReportingOverflow(diskSize / 16 + (64 << 20))
        let (length, isTooLong) = (imageLength ?? 0).addingReportingOverflow(growth)
        return TransferLimits(
            seconds: seconds(diskSize),
            fileLength: isTooLarge || isTooMuch || isTooLong ? nil : max(length, largestSpill))
    }

    /// - Parameter isFile: the stream is a file that the caller wants written; otherwise no file is.
    static func exporting(diskSize: UInt64, toFile isFile: Bool) -> TransferLimits {
        // Room for what goes wrong: standard error may be a file.
        TransferLimits(seconds: seconds(diskSize), fileLength: isFile ? nil : 64 << 10)
    }

    /// Ten minutes, and one second for each 4 MiB.
    private static func seconds(_ diskSize: UInt64) -> UInt64 { 600 + diskSize >> 22 }

    private static let processorLine: StaticString = """
        {"code":"limitExceeded","message":"the transfer took more processor time than a disk of this size may: is the stream \
        damaged on purpose?"}

        """

    /// Holds this process to them, for good.
    func apply() throws(BlockError) {
        // SAFETY: a static string ends with a zero byte and lives for ever.
        unsafe gantry_report_processor_limit(
            UnsafeRawPointer(Self.processorLine.utf8Start).assumingMemoryBound(to: CChar.self))
        let result = gantry_limit_process(addressSpace, seconds, fileLength ?? 0, descriptors)
        if result < 0 { throw BlockError(call: "setrlimit", errno: -result) }
    }
}
