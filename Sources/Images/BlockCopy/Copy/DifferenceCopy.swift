public import BlockIO
public import CoreTypes

/// Copies to a disk that has content already: all of another disk, or what makes the other different from a third.
public enum DifferenceCopy {
    /// Afterwards `destination`, which is at least as large, begins with what `source` holds, durably: provided that it
    /// began with what `base` holds, where there is one, for then only the differences are written. What lies behind is not
    /// touched. `.outOfRange`, with nothing changed, when it is smaller. After another error its content is undefined.
    /// `pace`: of what is written.
    public static func copy(
        from source: any BlockDevice, base: (any BlockDevice)?, to destination: any BlockDevice,
        pace: CopyPace? = nil, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        guard let base else {
            var options = CopyEngine.Options()
            options.pace = pace
            // Pieces that a low rate lets pass one by one.
            if pace?.isLimited == true { (options.threads, options.chunk) = (2, 256 << 10) }
            return try CopyEngine.copy(
                from: source, to: destination, options: options, progress: progress, cancellation: cancellation)
        }
        guard destination.size >= source.size else {
            throw BlockError(
                .outOfRange,
                "the destination has \(destination.size) bytes, the source \(source.size): make the destination larger")
        }
        let files = try SourceFiles(of: source)
        // SAFETY: the bytes are used inside the call that hands them over.
        try unsafe CompareEngine.eachDifference(
            of: source, from: base, pace: pace, progress: progress, cancellation: cancellation
        ) { (offset, length, bytes) throws(BlockError) in
            if let bytes = unsafe bytes {
                pace?.pass(length)
                try unsafe destination.write(bytes, at: offset)
            } else {
                try destination.writeZeroes(at: offset, length: length, mayUnmap: true)
            }
        }
        try files.checkLengths()
        try destination.flush()
    }
}
