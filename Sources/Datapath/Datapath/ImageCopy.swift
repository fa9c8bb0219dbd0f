import BlockCopy
import BlockIO
import CLinux
import CoreTypes
public import DatapathControl
public import Foundation
import Synchronization

/// Copies one disk's content into another that exists, in a process of its own: images are parsed here, and cancelling is
/// killing. The source and the base are only read.
public enum ImageCopy {
    /// The copy does not hold what its source holds.
    public struct Different: Error, CustomStringConvertible {
        /// Of the first byte that differs.
        let offset: UInt64
        public var description: String { "the copy does not hold what its source holds (at byte \(offset))" }
    }

    /// Throws `Different` where the plan asks to compare. Says how far it is (`CopiedShare`) to `output` meanwhile: whoever started this is gone when that fails. `user`: whose
    /// process this is from here on, and gives up what else it had.
    public static func run(
        _ source: ImageSpecification, _ plan: DiskCopyPlan, output: FileHandle, isolatedAs user: UInt32?
    ) throws {
        gantry_ignore_sigpipe()
        let sources = [source.asSource] + (plan.base.map { [$0.asSource] } ?? [])
        try TransferIsolation.enter(sources + [plan.destination], user: user)
        try copy(source, plan, output: output)
    }

    /// `silence`: an export that says nothing for so many seconds while something is written to it, or read of it, is lost,
    /// `.disconnected`.
    static func copy(
        _ source: ImageSpecification, _ plan: DiskCopyPlan, output: FileHandle,
        silence: Double = ImageSpecification.destinationSilence
    ) throws {
        let (progress, compared) = (ProgressCounter(), ProgressCounter())
        let isVerified = plan.isVerified == true
        // From the beginning to the end: to open and to flush may take long, and whoever cancels is heard with a line only.
        let teller = ProgressLines(output) {
            CopiedShare(copied: progress.fraction, compared: isVerified ? compared.fraction : nil)
        }
        defer { teller.stop() }
        let from = try source.open(readOnly: true, answerSeconds: silence)
        defer { try? from.close() }
        let base = try plan.base?.open(readOnly: true, answerSeconds: silence)
        defer { try? base?.close() }
        let destination = try Self.reach(plan, silence)
        do {
            let pace = try plan.pace.map { try PaceLines($0) }
            try DifferenceCopy.copy(from: from, base: base, to: destination, pace: pace?.pace, progress: progress)
            if isVerified {
                let place = try CopyComparison.firstDifference(
                    of: destination, from: from, base: base, pace: pace?.pace, progress: compared)
                if let place { throw Different(offset: place) }
            }
        } catch {
            // What was not flushed is of no more use: none of its connections is waited for.
            destination.interrupt()
            try? destination.close()
            throw error
        }
        try destination.close()
    }

    /// The destination, open. A server tells the first flush of what one before it has lost. What an earlier try had written is written
    /// again here, so that it is no loss, and must not be told at the end as one. Before the first try over a base it was written by
    /// somebody else: nobody writes that again.
    private static func reach(_ plan: DiskCopyPlan, _ silence: Double) throws(BlockError) -> any BlockDevice {
        let image = plan.destination
        if !image.isExport { return try image.openTracked() }
        let device = try connect(plan, silence)
        do throws(BlockError) {
            try device.flush()
            return device
        } catch {
            // What was told sticks to the connection.
            device.interrupt()
            try? device.close()
            if error.code == .disconnected || plan.base != nil && plan.isAgain != true { throw error }
            return try connect(plan, silence)
        }
    }

    /// A server that was lost and is being started again may have no socket yet, or not its export.
    private static func connect(_ plan: DiskCopyPlan, _ silence: Double) throws(BlockError) -> any BlockDevice {
        do throws(BlockError) {
            return try plan.destination.openTracked(answerSeconds: silence)
        } catch {
            let isAwaited = plan.isAgain == true && [.notFound, .busy].contains(error.code)
            throw isAwaited ? BlockError(.disconnected, "the server is not there again: \(error)") : error
        }
    }
}

/// Tells a few times a second how far a copy is.
private final class ProgressLines: Sendable {
    private let isOver = Flag()

    private final class Flag: Sendable { let value = Atomic<Bool>(false) }

    init(_ output: FileHandle, _ share: @escaping @Sendable () -> CopiedShare) {
        _ = WorkerThread(ifPossible: "progress") { [isOver] in
            while !isOver.value.load(ordering: .relaxed) {
                // Nobody listens any more: nobody would learn that this ended.
                guard (try? output.write(contentsOf: Data("\(share().line)\n".utf8))) != nil else { exit(1) }
                usleep(200_000)
            }
        }
    }

    func stop() { isOver.value.store(true, ordering: .relaxed) }
}

/// Hears on standard input how fast the copy may go.
struct PaceLines {
    let pace = CopyPace()

    /// No thread hears what is said: who pauses the copy, or lets it go on, would not be heard.
    struct Deaf: Error, CustomStringConvertible {
        let description =
            "the copy cannot be paced: the process is out of threads, so that nothing would end a pause; try again, or raise "
            + "the limit of threads"
    }

    /// Throws `Deaf`. `start`: begins a thread, or says false.
    init(
        _ settings: MirrorSettings,
        start: (_ body: @escaping @Sendable () -> Void) -> Bool = { WorkerThread(ifPossible: "pace", $0) != nil }
    ) throws {
        pace.set(bytesPerSecond: settings.bytesPerSecond, isPaused: settings.isPaused)
        let isHeard = start { [pace] in
            // Without the C library's stream: whoever reads that keeps the process from its end.
            while let line = Self.line() {
                guard let told = try? JSONDecoder().decode(MirrorSettings.self, from: line) else { continue }
                pace.set(bytesPerSecond: told.bytesPerSecond, isPaused: told.isPaused)
            }
        }
        if !isHeard { throw Deaf() }
    }

    /// Nil when nobody says anything any more.
    private static func line() -> Data? {
        var line = Data()
        var byte: UInt8 = 0
        while line.count < 4096 {
            let count = unsafe read(0, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return line }
            line.append(byte)
        }
        return nil
    }
}
