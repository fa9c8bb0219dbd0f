import Glibc

@testable import BlockIO

/// A log of changed blocks as it is found in a folder, read and then written. The first byte says whether it was opened during
/// this boot, whether its size is the disk's, and how the session ends; the next 15 are three marks; the rest is the file.
///
/// Whatever the file holds: a block that was marked stays marked, for all that can be relied on.
///
/// Its `fatalError`s are findings: a crash is how a fuzz target reports what must not happen.
enum ChangeLogTrial {
    static let headerLength = 16

    static func run(_ input: [UInt8]) {
        guard input.count > headerLength else { return }
        var bytes = Array(input[headerLength...])
        let path = ScratchFolder.path + "/log"
        let other = ScratchFolder.path + "/other"
        if input[0] & 1 == 1 { note(ChangeLogFile.presentBoot, in: &bytes) }
        ScratchFolder.write(bytes, to: "log")
        ScratchFolder.write(bytes, to: "other")
        let isLog = (try? ChangeLogFile.check(path: path)) != nil
        let known = try? ChangeLogFile.readHeader(path: path)
        let log = try? ChangeLogFile.read(path: path)
        precondition(isLog == (log != nil), "what is checked and what can be read are not the same")
        if let log {
            precondition(known?.size == log.size && UInt64(log.bitmap.count) == ChangeLog.bitmapLength(log.size))
            if !log.isConsistent, log.boot == nil || log.boot != ChangeLogFile.presentBoot { requireAll(log, 0) }
        }
        let size = (known?.size ?? 1 << 20) + (input[0] & 2 == 0 ? 0 : UInt64(input[1]) << 14)
        // More takes too long.
        guard size <= 1 << 38 else { return }
        guard let tracking = try? ChangeTracking(path: path, size: size) else {
            if isLog { fatalError("a log that can be read cannot be written") }
            return
        }
        session(tracking, input, size: size, before: log, path: path, other: other)
    }

    private static func session(
        _ tracking: ChangeTracking, _ input: [UInt8], size: UInt64, before: ChangeLog?, path: String, other: String
    ) {
        var marked: [Range<UInt64>] = []
        for index in 0..<3 {
            let number = input[1 + 5 * index..<6 + 5 * index].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let start = number % max(size, 1)
            let length = min(UInt64(input[1 + 5 * index]) << 12, size - start)
            guard length > 0, (try? tracking.mark(start, length)) != nil else { continue }
            marked.append(start / ChangeLog.block..<(start + length - 1) / ChangeLog.block + 1)
        }
        require(marked, before, in: try? ChangeLogFile.read(path: path), "while it is written")
        if input[0] & 4 != 0 { try? tracking.merge(logAt: other, parent: nil) }
        if input[0] & 8 != 0 {
            // The disk moves to another image, or stays.
            ScratchFolder.remove("next")
            let next = ScratchFolder.path + "/next"
            try? ChangeLogFile.create(path: next, ChangeLog(size: size + UInt64(input[15]) << 12))
            if (try? tracking.follow(path: next, size: size)) != nil {
                require(marked, before, in: try? ChangeLogFile.read(path: next), "of the image that it moves to")
                tracking.settle(stays: input[0] & 16 != 0)
            }
            ScratchFolder.remove("next")
        }
        if input[0] & 32 != 0 {
            tracking.drop()
            require(marked, before, in: try? ChangeLogFile.read(path: path), "after the process died")
        } else {
            let isClosed = (try? tracking.close()) != nil
            let log = try? ChangeLogFile.read(path: path)
            if isClosed { require(marked, before, in: log, "after it was closed") }
        }
        try? ChangeLogFile.discard(path: path)
        if (try? ChangeLogFile.read(path: path)) != nil { fatalError("a log that was discarded can be read") }
    }

    /// No log is no promise: everything counts as changed then.
    private static func require(_ marked: [Range<UInt64>], _ before: ChangeLog?, in log: ChangeLog?, _ when: String) {
        guard let log else { return }
        for block in marked.joined() where !log.isChanged(block: block) {
            fatalError("block \(block) was marked and is not, \(when)")
        }
        guard let before else { return }
        for (index, byte) in before.bitmap.enumerated() where byte & ~log.bitmap[index] != 0 {
            fatalError("marks that were there are lost, \(when)")
        }
    }

    private static func requireAll(_ log: ChangeLog, _ from: UInt64) {
        for block in from..<ChangeLog.blocks(log.size) where !log.isChanged(block: block) {
            fatalError("a log that was cut off promises something of block \(block)")
        }
    }

    /// The boot behind the bitmap, whose place the size says.
    private static func note(_ boot: DiskID?, in bytes: inout [UInt8]) {
        guard let boot, bytes.count >= ChangeLog.headerLength else { return }
        let size = bytes[40..<48].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let place = UInt64(ChangeLog.headerLength) + ChangeLog.bitmapLength(size)
        guard size <= ChangeLog.largestDisk, place <= 1 << 20 else { return }
        let end = Int(place) + ChangeLog.trailerLength
        if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.replaceSubrange(Int(place)..<end, with: boot.bytes)
    }
}
