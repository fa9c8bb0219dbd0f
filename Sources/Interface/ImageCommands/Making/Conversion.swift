import BlockCopy
import BlockIO
import CoreTypes
import DiskImages

/// One image file copied into another.
struct Conversion {
    /// For failures, e.g. `cannot convert a to b`.
    let what: String
    let source: String
    let input: any BlockDevice
    let target: String
    let format: ImageFormat
    let options: CreateOptions
    let compress: Bool
    let zeroes: CopyEngine.StoredZeroes
    let verify: Bool
    let progress: Bool
    let cancellation: CancellationFlag

    /// Makes a new image, which gets its name when all is done.
    func make() throws(CommandFailure) {
        let pending = try PendingFile(for: target, besides: source)
        try doing(what) { () throws(BlockError) in
            try copy(to: pending.create(format: format, size: input.size, options: options), isNew: true)
        }
        try check(pending.path)
        try doing(what) { () throws(BlockError) in
            if cancellation.isCancelled { throw BlockError(.cancelled, "interrupted") }
            try pending.publish()
        }
    }

    /// Writes into the image that is there.
    func fill() throws(CommandFailure) {
        try doing(what) { () throws(BlockError) in
            try copy(to: DiskImage.open(path: target, format: format, readOnly: false), isNew: false)
        }
        try check(target)
    }

    /// Copies and closes `output`, also when the copy fails.
    private func copy(to output: any BlockDevice, isNew: Bool) throws(BlockError) {
        let counter = ProgressCounter()
        do throws(BlockError) {
            try ProgressDisplay.during("converting", shown: progress, counter: counter) { () throws(BlockError) in
                var options = CopyEngine.Options()
                options.destinationIsZero = isNew
                options.bypassCache = isNew
                options.compresses = compress
                options.zeroes = zeroes
                try CopyEngine.copy(
                    from: input, to: output, options: options, progress: counter, cancellation: cancellation)
            }
        } catch {
            try? output.close()
            throw error
        }
        try output.close()
    }

    /// With `--verify`, opens what was written anew and compares all of it.
    private func check(_ path: String) throws(CommandFailure) {
        guard verify else { return }
        let difference = try doing("cannot verify \(target)") { () throws(BlockError) -> UInt64? in
            let output = try DiskImage.open(path: path, format: format, readOnly: true)
            defer { try? output.close() }
            let counter = ProgressCounter()
            return try ProgressDisplay.during("verifying", shown: progress, counter: counter) { () throws(BlockError) in
                try CompareEngine.firstDifference(input, output, progress: counter, cancellation: cancellation)
            }
        }
        if let difference {
            throw CommandFailure(
                "\(target) is not a copy of \(source)", why: "they differ at byte \(difference)",
                advice: "again; when it repeats, the storage or the memory of this host is at fault")
        }
    }
}
