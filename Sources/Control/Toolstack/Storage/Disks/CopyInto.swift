import APITypes
import CoreTypes
import DatapathControl
import Foundation
import Glibc
import Logging
import PoolDatabase
import StorageInterface
import Synchronization

/// A disk's content, or what makes it differ from a base, written into another disk that exists and that nobody uses. A
/// process of its own does the work.
///
/// The source and the base are opened read-only and never change. The destination's content is undefined until all of it is
/// durable, which is when this succeeds; nothing else of it changes, and whoever dies meanwhile leaves it so: the caller,
/// who gave it up to be overwritten, copies again. A try that fails may be followed by others (`CopyRetry`): of a move, and of every
/// copy into an export, whose server may come back.
struct CopyInto: Sendable {
    let context: StorageContext

    /// What speaks against it besides what does against overwriting the disk. VDI_TOO_SMALL [vdi, least size].
    static func check(_ vdi: Ref<VDI>, base: Ref<VDI>, into: Ref<VDI>, _ reader: any DatabaseReader) throws {
        let (source, target) = (try reader.require(vdi), try reader.require(into))
        if into == vdi || into == base {
            throw APIError("OPERATION_NOT_ALLOWED", "the disk \(into.opaque) cannot be copied into itself")
        }
        if target[VDI.virtualSize] < source[VDI.virtualSize] {
            throw APIError("VDI_TOO_SMALL", into.opaque, String(source[VDI.virtualSize]))
        }
    }

    /// The caller has been admitted to all of the disks.
    func run(_ vdi: Ref<VDI>, base: Ref<VDI>, into: Ref<VDI>, progress: any TaskProgress) async throws {
        let target = try context.row(into)
        let image = try await context.beginUse(of: target, readOnly: false)
        do {
            try await copy(vdi, base: base, to: image, of: (target[VDI.sr], into), progress: progress)
        } catch {
            await context.endUse(of: target, readOnly: false)
            throw error
        }
        await context.endUse(of: target, readOnly: false)
        FailurePoint.reached("copied-into")
        let attached = try context.attached(target[VDI.sr])
        do {
            let volume = try await attached.manager.stat(attached.repository, StorageContext.volume(target))
            try await context.database.transaction { tx in
                try tx.set(into, VDI.physicalUtilisation, Int64(clamping: volume.physicalSize))
            }
        } catch let error as StorageError {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: into)
        }
    }

    /// `destination` reads as zeroes or holds what the base holds; failures are told of `object`. `limits`: of a move, what holds the
    /// copy back, and for how long it is tried again (`CopyRetry`); nil: nothing, and an export for as long as a mirror is.
    /// `isVerified`: what was written is compared with the
    /// source: MIRROR_FAILED [object] where it differs.
    func copy(
        _ vdi: Ref<VDI>, base: Ref<VDI>, to destination: ImageSpecification, of object: (sr: Ref<SR>, vdi: Ref<VDI>),
        limits: CopyLimits? = nil, isVerified: Bool = false, progress: any TaskProgress
    ) async throws {
        var plan = DiskCopyPlan(destination: destination, base: nil, isVerified: isVerified ? true : nil)
        var retry = CopyRetry()
        while true {
            let attempt = Attempt()
            do {
                return try await copyOnce(vdi, base: base, plan, limits, attempt, progress)
            } catch let failure as DatapathClient.Failure {
                let isExport = destination.isExport || attempt.readsExport
                let patience = limits?.patience(isExport: isExport, progress) ?? TurnOfDisk.patience(nil)
                let isRetried = limits != nil || isExport
                let step =
                    isRetried
                    ? retry.failed(failure, at: .now, after: attempt.value, patience: patience) : .over(failure)
                switch step {
                case .over(let told):
                    // The error has no room for where that is.
                    if told.code == DiskCopyPlan.differs { progress.annotate(["mirror_error": told.message]) }
                    throw ErrorMapping.api(told, sr: object.sr, vdi: object.vdi)
                case .again(let pause):
                    context.logger.warning(
                        "the copy of a disk is begun again",
                        metadata: ["vdi": "\(vdi.opaque)", "try": "\(retry.count + 1)", "cause": "\(failure.message)"])
                    progress.annotate(["mirror_retries": String(retry.count)])
                    plan.isAgain = true
                    try await Self.wait(pause, progress)
                }
            }
        }
    }

    /// Whoever cancels does not wait for the next try.
    private static func wait(_ pause: Duration, _ progress: any TaskProgress) async throws {
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end {
            if progress.cancellation.isCancelled { throw CancellationError() }
            try await Task.sleep(for: min(.milliseconds(50), max(.zero, ContinuousClock.now.duration(to: end))))
        }
        if progress.cancellation.isCancelled { throw CancellationError() }
    }

    /// Throws `DatapathClient.Failure` for what becomes of the process.
    private func copyOnce(
        _ vdi: Ref<VDI>, base: Ref<VDI>, _ plan: DiskCopyPlan, _ limits: CopyLimits?, _ attempt: Attempt,
        _ progress: any TaskProgress
    ) async throws {
        try await context.reading(try context.row(vdi)) { source in
            attempt.note(source)
            if base.isNull { return try await run(source, plan, limits, attempt, progress) }
            try await context.reading(try context.row(base)) { below in
                attempt.note(below)
                var plan = plan
                plan.base = below
                try await run(source, plan, limits, attempt, progress)
            }
        }
    }

    /// How a process fares that is followed.
    private final class Attempt: Sendable {
        private let state = Mutex(CopyAttempt())
        var value: CopyAttempt { state.withLock { $0 } }
        func note(_ share: CopiedShare) { state.withLock { $0.note(share.fraction, at: .now) } }

        /// Of a driver's server, which may come back.
        private let isOfExport = Atomic(false)
        var readsExport: Bool { isOfExport.load(ordering: .relaxed) }
        func note(_ source: ImageSpecification) {
            if source.isExport { isOfExport.store(true, ordering: .relaxed) }
        }
    }

    private func run(
        _ source: ImageSpecification, _ wanted: DiskCopyPlan, _ limits: CopyLimits?, _ attempt: Attempt,
        _ progress: any TaskProgress
    ) async throws {
        var wanted = wanted
        wanted.pace = await limits?.atStart(progress)
        let plan = try JSONEncoder().encode(wanted)
        let folder = context.disks.host.transferFolder
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let log = folder + "/" + Fresh.uuid()
        defer { unsafe unlink(log) }
        let user = context.disks.host.users.lend()
        defer { withExtendedLifetime(user) {} }
        let words = try limits.map { _ in try Self.words() }
        // Whoever copies hears nothing more then.
        defer { if let words { close(words.writeEnd) } }
        var isStarted = false
        defer { if let words, !isStarted { close(words.readEnd) } }
        let child = try ChildProcess.start(
            [context.disks.host.program, "copy"] + source.arguments
                + ["--plan", String(decoding: plan, as: UTF8.self)] + (user?.arguments ?? []),
            input: words?.readEnd ?? -1, logPath: log, detached: true)
        if let words { close(words.readEnd) }
        isStarted = true
        try await follow(child, limits, words?.writeEnd, attempt, progress)
    }

    private func follow(
        _ child: ChildProcess, _ limits: CopyLimits?, _ words: Int32?, _ attempt: Attempt,
        _ progress: any TaskProgress
    ) async throws {
        var untold = UntoldSettings()
        while true {
            let line = try await child.firstLine()
            if progress.cancellation.isCancelled {
                kill(child.pid, SIGKILL)
                await child.reap()
                throw CancellationError()
            }
            guard let share = CopiedShare(line: line) else { break }
            attempt.note(share)
            if let progress = progress as? SnapshotProgress {
                progress.report(share)
            } else {
                progress.report(0.99 * share.fraction)
            }
            guard let limits, let words else { continue }
            if let told = await limits.change(progress) { untold.add(told) }
            untold.tell { Self.write($0, to: words) }
        }
        let status = await child.reap()
        if status < 0 {
            let words = child.lastWords.map { ": " + $0 } ?? ""
            throw DatapathClient.Failure(
                code: CopyRetry.died, message: "the process that copies was ended by signal \(-status)" + words)
        }
        if status != 0 { throw child.failure() }
    }

    /// A pipe whose writer never waits.
    static func words() throws -> Pipe {
        let pipe = try Pipe()
        if fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK) == 0 { return pipe }
        let error = errno
        for end in [pipe.readEnd, pipe.writeEnd] { close(end) }
        throw DatapathClient.Failure(code: "io", message: "fcntl of a pipe failed with error \(error)")
    }

    /// Nobody waits for one that does not read: false, and nothing is written, where the pipe is full. One that has ended needs no
    /// words.
    static func write(_ line: Data, to words: Int32) -> Bool {
        // All of it or nothing: it is shorter than PIPE_BUF.
        let count = unsafe line.withUnsafeBytes { unsafe Glibc.write(words, $0.baseAddress, $0.count) }
        return count == line.count || errno != EAGAIN
    }
}

/// What a process is still to be told that reads lines of JSON at its own pace. A value: what was not taken is told again, with what was
/// said since, so that the last word always arrives.
struct UntoldSettings: Sendable {
    private var waiting: MirrorSettings?

    mutating func add(_ settings: MirrorSettings) { waiting = (waiting ?? MirrorSettings()).overlaid(by: settings) }

    /// `write`: takes the whole line, or says false.
    mutating func tell(_ write: (Data) -> Bool) {
        guard let waiting, let line = try? JSONEncoder().encode(waiting) + Data("\n".utf8) else { return }
        if write(line) { self.waiting = nil }
    }
}
