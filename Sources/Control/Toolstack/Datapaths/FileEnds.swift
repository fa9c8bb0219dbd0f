import Foundation

/// Parts of files that a process of less trust may have written: however long it has made them, no more is read.
enum FileEnds {
    /// The first `count` bytes, or all of a shorter file; nil where there is none to be read.
    static func first(_ count: Int, of path: String) -> Data? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: count)) ?? Data()
    }

    /// The last `count` bytes, or all of a shorter file; nil where there is none to be read.
    static func last(_ count: Int, of path: String) -> Data? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        guard let size = try? handle.seekToEnd() else { return nil }
        try? handle.seek(toOffset: size > UInt64(count) ? size - UInt64(count) : 0)
        return (try? handle.read(upToCount: count)) ?? Data()
    }
}
