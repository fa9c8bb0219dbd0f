import APITypes
import CoreTypes
import DatapathControl
import Foundation
import PoolDatabase
import StorageInterface

/// A disk's content, or what makes it differ from a base, written into another disk that exists and that nobody uses. A
/// process of its own does the work.
///
/// The source and the base are opened read-only and never change. The destination's content is undefined until all of it is
/// durable, which is when this succeeds; nothing else of it changes, and whoever dies meanwhile leaves it so: the caller,
/// who gave it up to be overwritten, copies again.
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

    /// `destination` reads as zeroes or holds what the base holds; failures are told of `object`. `limits`: what holds the copy
    /// back; nil: nothing.
    func copy(
        _ vdi: Ref<VDI>, base: Ref<VDI>, to destination: ImageSpecification, of object: (sr: Ref<SR>, vdi: Ref<VDI>),
        limits: CopyLimits? = nil, progress: any TaskProgress
    ) async throws {
        try await context.reading(try context.row(vdi)) { source in
            if base.isNull { return try await run(source, nil, to: destination, of: object, limits, progress) }
            try await context.reading(try context.row(base)) { below in
                try await run(source, below, to: destination, of: object, limits, progress)
            }
        }
    }

    private func run(
        _ source: ImageSpecification, _ below: ImageSpecification?, to destination: ImageSpecification,
        of object: (sr: Ref<SR>, vdi: Ref<VDI>), _ limits: CopyLimits?, _ progress: any TaskProgress
    ) async throws {
        let plan = try JSONEncoder().encode(
            DiskCopyPlan(destination: destination, base: below, pace: await limits?.atStart(progress)))
        let folder = context.disks.host.transferFolder
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let log = folder + "/" + Fresh.uuid()
        defer { unsafe unlink(log) }
        let user = context.disks.host.users.lend()
        defer { withExtendedLifetime(user) {} }
        do {
            let words = try limits.map { _ in try Pipe() }
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
            try await follow(child, limits, words?.writeEnd, progress)
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: object.sr, vdi: object.vdi)
        }
    }

    private func follow(
        _ child: ChildProcess, _ limits: CopyLimits?, _ words: Int32?, _ progress: any TaskProgress
    ) async throws {
        while true {
            let line = try await child.firstLine()
            if progress.cancellation.isCancelled {
                kill(child.pid, SIGKILL)
                await child.reap()
                throw CancellationError()
            }
            guard let part = Double(line) else { break }
            progress.report(0.99 * part)
            if let limits, let words, let told = await limits.change(progress) { Self.tell(told, words) }
        }
        if await child.reap() != 0 { throw child.failure() }
    }

    /// It takes a few words a second at most, and a pipe holds many. One that has ended needs none.
    private static func tell(_ settings: MirrorSettings, _ words: Int32) {
        guard let line = try? JSONEncoder().encode(settings) + Data("\n".utf8) else { return }
        _ = unsafe line.withUnsafeBytes { unsafe write(words, $0.baseAddress, $0.count) }
    }
}
