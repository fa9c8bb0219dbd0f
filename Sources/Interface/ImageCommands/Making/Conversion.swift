import BlockCopy
import BlockIO
import CoreTypes
import DiskImages

/// One image file copied into another.
struct Conversion {
    /// For failures, e.g. `cannot convert a to b`.
    let what: String
    let source: String
    /// Paths of what SRC is read from besides: parents, extents, a data file.
    let sourceFiles: [String]
    let input: any BlockDevice
    let target: String
    let format: ImageFormat
    let options: CreateOptions
    let compress: Bool
    var zeroes = CopyEngine.StoredZeroes.sample
    let verify: Bool
    let progress: Bool
    /// What a block device holds may go.
    let overwrites: Bool
    let cancellation: CancellationFlag
    /// Finds the ancestors of a new image that gets a parent; opens one that is there.
    let policy: OpenPolicy

    /// Makes a new image, which gets its name when all is done.
    func make() throws(CommandFailure) {
        let pending = try PendingFile(
            for: target, besides: [source] + sourceFiles, device: DeviceUse(format, overwrites: overwrites))
        try doing(what) { () throws(BlockError) in
            let output = try pending.create(format: format, size: input.size, options: options, policy: policy)
            if options.parent == nil { try copy(to: output, isNew: true) } else { try copyDifferences(to: output) }
        }
        try check(pending.path, pending.policy, isNew: true)
        try doing(what) { () throws(BlockError) in
            if cancellation.isCancelled { throw BlockError(.cancelled, "interrupted") }
            try pending.publish()
        }
    }

    /// Writes into the image that is there.
    func fill() throws(CommandFailure) {
        for path in [source] + sourceFiles { try RealPath.refuseSame(path, target, what) }
        try doing(what) { () throws(BlockError) in
            try copy(to: Self.existing(target, format, policy), isNew: false)
        }
        try check(target, policy, isNew: false)
    }

    /// Opens an image that is written to and stands alone.
    static func existing(
        _ target: String, _ format: ImageFormat, _ policy: OpenPolicy
    ) throws(BlockError) -> any BlockDevice {
        do throws(BlockError) {
            return try DiskImage.open(path: target, format: format, readOnly: false, policy: policy)
        } catch {
            if error.code == .invalidImage, error.message.contains("v_poison") {
                throw BlockError(
                    .unsupported, "a VHD that was disabled on purpose is not written to, whatever the options",
                    path: target)
            }
            guard error.code == .denied, error.systemError == 0 else { throw error }
            // What --parent and --data-file name is SRC's.
            throw BlockError(
                .unsupported,
                "an image that is written with -n is one file, and this one has a parent, or its data in another file "
                    + "(\(error.message))", path: target)
        }
    }

    /// What a new image on a parent stores: where the source differs from what shows of the parent. Closes `output`, also
    /// when the copy fails.
    private func copyDifferences(to output: any BlockDevice) throws(BlockError) {
        let counter = ProgressCounter()
        do throws(BlockError) {
            try ProgressDisplay.during("converting", shown: progress, counter: counter) { () throws(BlockError) in
                // An image without content of its own is what shows of its parent, as long as it is and with zeroes
                // behind the parent's end. What was compared is written once, and looked at no more.
                try DifferenceCopy.copy(
                    from: input, base: output, to: output, progress: counter, cancellation: cancellation)
            }
        } catch {
            try? output.close()
            throw error
        }
        try output.close()
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
                let salvaged = input as? SalvagedDevice
                // A failing disk is read in one direction.
                if salvaged != nil { options.threads = 1 }
                try CopyEngine.copy(
                    from: input, to: output, options: options, progress: counter, cancellation: cancellation)
                try salvaged?.checkLengths()
            }
        } catch {
            try? output.close()
            throw error
        }
        try output.close()
    }

    /// With `--verify`, opens what was written anew and compares all of it. What an image that was there holds behind the
    /// end of the source is left, and is no difference.
    private func check(_ path: String, _ policy: OpenPolicy, isNew: Bool) throws(CommandFailure) {
        guard verify else { return }
        let difference = try doing("cannot verify \(target)") { () throws(BlockError) -> UInt64? in
            let output = try DiskImage.open(path: path, format: format, readOnly: true, policy: policy)
            defer { try? output.close() }
            let counter = ProgressCounter()
            return try ProgressDisplay.during("verifying", shown: progress, counter: counter) { () throws(BlockError) in
                try CompareEngine.firstDifference(input, output, progress: counter, cancellation: cancellation)
            }
        }
        if let difference, isNew || difference < input.size {
            throw CommandFailure(
                "\(target) is not a copy of \(source)", why: "they differ at byte \(difference)",
                advice: "again; when it repeats, the storage or the memory of this host is at fault")
        }
    }
}
