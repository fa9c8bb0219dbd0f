import BlockCopy
import BlockIO
import DatapathControl

extension MirrorSettings {
    /// What the settings change of a mirror's options. `.unsupported` for a mode that is not known.
    func change() throws(BlockError) -> (inout MirrorOptions) -> Void {
        let mode = mode.flatMap(MirrorOptions.Mode.init(rawValue:))
        if let name = self.mode, mode == nil {
            throw BlockError(
                .unsupported, "'\(name)' is not a mode of mirrors; expected automatic, active or background")
        }
        return { options in
            if let bytesPerSecond { options.bytesPerSecond = bytesPerSecond }
            if let latencyBudget { options.latencyBudget = min(latencyBudget, 3_600_000_000) * 1000 }
            if let mode { options.mode = mode }
            if let mayDelay { options.mayDelay = mayDelay }
            if let retrySeconds { options.retryFor = min(retrySeconds, 1_000_000) * 1_000_000_000 }
            if let isPaused { options.isPaused = isPaused }
        }
    }

    init(_ options: MirrorOptions) {
        self.init(
            bytesPerSecond: options.bytesPerSecond, latencyBudget: options.latencyBudget / 1000,
            mode: options.mode.rawValue, mayDelay: options.mayDelay, retrySeconds: options.retryFor / 1_000_000_000,
            isPaused: options.isPaused)
    }
}

extension MirrorDetails {
    init(_ progress: MirrorProgress) {
        self.init(
            settings: MirrorSettings(progress.options), isActive: progress.isActive,
            isConverging: progress.isConverging, isRetrying: progress.isRetrying, retries: progress.retries,
            resumedBytes: progress.resumedBytes, remainingSeconds: progress.remainingSeconds,
            delayedWrites: progress.delayedWrites, delayMicroseconds: progress.delayNanoseconds / 1000,
            longestDelayMicroseconds: progress.longestDelayNanoseconds / 1000)
        mustBeCompared = progress.mustBeCompared
        lateWrites = progress.lateWrites
        isCompared = progress.isCompared
        comparedBytes = progress.comparedBytes
    }
}
