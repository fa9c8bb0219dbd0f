/// The holes of a file that are long enough to matter, found in one pass: asking for each extent by itself takes time
/// in proportion to the data behind it on some file systems. What changes later is not seen.
public struct FileHoles: Sendable {
    private var starts: [UInt64] = []
    private var ends: [UInt64] = []
    /// More than these are not remembered: the rest is data.
    private static let most = 65536
    private static let shortest: UInt64 = 4096

    var isEmpty: Bool { starts.isEmpty }
    /// None was left out.
    var areAll: Bool { starts.count < Self.most }

    public init(_ file: ImageFile) throws(BlockError) {
        if file.isBlockDevice { return }
        let size = try file.size()
        var position: UInt64 = 0
        var isBehindHole = false
        while position < size, starts.count < Self.most {
            let run = try isBehindHole ? file.dataRun(at: position, end: size) : file.run(at: position, end: size)
            isBehindHole = !run.isData
            if !run.isData, run.end - position >= Self.shortest {
                starts.append(position)
                ends.append(run.end)
            }
            position = run.end
        }
        // A cluster may reach past the end of the file.
        if areAll {
            if ends.last == size {
                ends[ends.count - 1] = .max
            } else {
                starts.append(size)
                ends.append(.max)
            }
        }
    }

    /// Whether a hole is at `offset`, and where hole or data end, at most `limit`.
    func run(at offset: UInt64, limit: UInt64) -> (isHole: Bool, end: UInt64) {
        let low = firstEnding(behind: offset)
        if low == ends.count { return (false, limit) }
        return starts[low] <= offset ? (true, min(ends[low], limit)) : (false, min(starts[low], limit))
    }

    /// The hole or the data around `offset`, from one end to the other.
    public func around(_ offset: UInt64) -> (isHole: Bool, range: Range<UInt64>) {
        let low = firstEnding(behind: offset)
        if low < ends.count, starts[low] <= offset { return (true, starts[low]..<ends[low]) }
        return (false, (low > 0 ? ends[low - 1] : 0)..<(low < ends.count ? starts[low] : .max))
    }

    /// The first hole that ends behind the offset.
    private func firstEnding(behind offset: UInt64) -> Int {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
