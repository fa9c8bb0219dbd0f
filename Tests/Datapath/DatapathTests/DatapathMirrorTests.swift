import BlockIO
import CLinux
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import NBDTransport
import Synchronization
import TestSupport
import Testing

@testable import Datapath

/// Mirrors of data-path processes that are killed, whose destinations are, and that are told things while they run.
@Suite struct DatapathMirrorTests: ImagesOfOneSize {
    static let size: UInt64 = 16 << 20

    /// What the map in the folder calls the same, a bit for each granule behind its header.
    private func sameBytes(in folder: ScratchFolder) throws -> UInt64 {
        guard let bytes = FileManager.default.contents(atPath: folder.file("map")) else { return 0 }
        return bytes.dropFirst(4096).reduce(0) { $0 + UInt64($1.nonzeroBitCount) * 65536 }
    }

    /// kill -9 in the middle of a copy: the next process notes what is written before the mirror goes on, and goes on from
    /// where the map says; the rest is not copied again.
    @Test(arguments: ["raw", "qcow2"])
    func aKilledProcessLeavesItsMirrorToTheNext(format: String) throws {
        let folder = try ScratchFolder("dp")
        let (a, b) = (try image(folder, "a.vhd", "vhd"), try image(folder, "b", format))
        var process = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true, mirrorMap: true)
        var client = try process.connect()
        try fill(client, 1, at: 0, count: 12 << 20)
        try client.flush()
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 8 << 20))
        // What a format keeps in memory the map tells only after a flush, which may take its time.
        while try sameBytes(in: folder) < 2 << 20 {}
        process.kill()
        let known = try sameBytes(in: folder)
        process = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true, mirrorMap: true)
        #expect(try process.status().mirror == nil)
        client = try process.connect()
        try fill(client, 2, at: 1 << 20, count: 70000)
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 0, resume: true))
        let mirror = try process.awaitPhase(.synchronised)
        let details = try #require(mirror.details)
        // The write between the two has touched two granules.
        #expect(details.resumedBytes <= known && details.resumedBytes >= known - 131072)
        #expect(mirror.copiedBytes + details.resumedBytes <= Self.size + 70000 + 131072)
        _ = try process.control.callBlocking(.mirrorVerify)
        _ = try process.control.callBlocking(.pivotPrepare)
        _ = try process.control.callBlocking(.pivotCommit)
        #expect(!FileManager.default.fileExists(atPath: folder.file("map")))
        #expect(try process.quit() == 0)
        try Tool.check(
            "qemu-io",
            ["-f", format, "-r", "-c", "read -P 1 0 1M", "-c", "read -P 2 1M 70000", "-c", "read -P 1 2M 10M", b.path])
    }

    /// What was told as copied is never copied again, whatever the images keep in memory: the next process repeats the pieces
    /// that the killed one had in its hands, and nothing else.
    @Test(arguments: [("raw", "raw"), ("raw", "qcow2"), ("qcow2", "vhd"), ("vhd", "raw")])
    func aKilledProcessRepeatsNoPieceThatWasComplete(formats: (String, String)) throws {
        let folder = try ScratchFolder("dp")
        let (a, b) = (try image(folder, "a", formats.0), try image(folder, "b", formats.1))
        var process = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true, mirrorMap: true)
        let client = try process.connect()
        let data: UInt64 = 12 << 20
        try fill(client, 1, at: 0, count: Int(data))
        try client.flush()
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 32 << 20))
        var told: UInt64 = 0
        while told < 4 << 20 { told = try #require(try process.status().mirror).copiedBytes }
        process.kill()
        let known = try sameBytes(in: folder)
        #expect(known >= told)
        process = try DatapathProcess(folder, image: a.path, format: a.format, crashMark: true, mirrorMap: true)
        _ = try process.control.callBlocking(.mirrorStart(destination: b, bytesPerSecond: 0, resume: true))
        let mirror = try process.awaitPhase(.synchronised)
        #expect(try #require(mirror.details).resumedBytes == known)
        #expect(mirror.copiedBytes == data - min(data, known))
        _ = try process.control.callBlocking(.mirrorVerify)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.quit() == 0)
    }

    /// What a server holds that lives on may be lost with it: of an export a flush has to vouch, and what was copied since the
    /// last one is copied again, and no more.
    @Test func aKilledProcessGoesOnWithAnExport() throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.qcow2", "qcow2"))
        let server = try DatapathProcess(far, image: b.path, format: b.format)
        let remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        var process = try DatapathProcess(folder, image: a.path, format: a.format, mirrorMap: true)
        try fill(try process.connect(), 1, at: 0, count: 12 << 20)
        _ = try process.control.callBlocking(.mirrorStart(destination: remote, bytesPerSecond: 8 << 20))
        while try sameBytes(in: folder) < 1 << 20 {}
        process.kill()
        let known = try sameBytes(in: folder)
        process = try DatapathProcess(folder, image: a.path, format: a.format, mirrorMap: true)
        _ = try process.control.callBlocking(.mirrorStart(destination: remote, bytesPerSecond: 0, resume: true))
        let mirror = try process.awaitPhase(.synchronised)
        #expect(try #require(mirror.details).resumedBytes == known)
        #expect(mirror.copiedBytes <= (12 << 20) - min(12 << 20, known))
        _ = try process.control.callBlocking(.mirrorVerify)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
    }

    /// The destination's server stops, and the writer goes on: all its writes and flushes are answered while it stands still.
    /// Then it goes on, does what it had received, and gets what was written meanwhile.
    @Test func aServerThatStopsKeepsNoWriterWaiting() async throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.qcow2", "qcow2"))
        let server = try DatapathProcess(far, image: b.path, format: b.format)
        let process = try DatapathProcess(folder, image: a.path, format: a.format, mirrorMap: true)
        let client = try process.connect()
        try fill(client, 1, at: 0, count: 4 << 20)
        let remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        _ = try process.control.callBlocking(
            .mirrorStart(
                destination: remote, bytesPerSecond: 0, settings: MirrorSettings(latencyBudget: 1, mode: "active")))
        _ = try process.awaitPhase(.synchronised)
        Foundation.kill(server.pid, SIGSTOP)
        // Several at a time, over each other, and more than the sockets between the two hold.
        let writers = (0..<4).map { writer in
            WorkerThread("writer") {
                for round in 0..<64 as Range<UInt64> {
                    let place = (round * 37 % 61) << 16
                    do {
                        try fill(client, UInt8(round), at: place, count: 65536)
                        if round % 8 == UInt64(writer) { try client.flush() }
                    } catch { Issue.record(error) }
                }
            }
        }
        for writer in writers { writer.join() }
        let details = try #require(try process.status().mirror?.details)
        #expect(try #require(details.lateWrites) > 0 && !details.isActive && details.retries == 0)
        // What a batch has done is counted when its replies were sent: the last writer may be quicker than that.
        try await reach("all writes are counted") { try process.status().counters?.writes == 256 + 1 }
        #expect(try sameBytes(in: folder) < Self.size)
        Foundation.kill(server.pid, SIGCONT)
        _ = try process.awaitPhase(.synchronised)
        _ = try process.control.callBlocking(.mirrorVerify)
        _ = try process.control.callBlocking(.pivotPrepare)
        _ = try process.control.callBlocking(.pivotCommit)
        try fill(client, 9, at: 5 << 20, count: 4096)
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
        try Tool.check(
            "qemu-img", ["convert", "-f", "qcow2", "-O", "raw", b.path, far.file("c.raw")])
        let (left, right) = (
            try Data(contentsOf: URL(fileURLWithPath: a.path)),
            try Data(contentsOf: URL(fileURLWithPath: far.file("c.raw")))
        )
        #expect(left[0..<5 << 20] == right[0..<5 << 20])
    }

    /// The destination is another process's export, over several connections. That process is killed; the client goes on,
    /// and what the other had not flushed is written again.
    @Test func aRemoteDestinationThatIsKilledIsFilledAgain() throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.qcow2", "qcow2"))
        var server = try DatapathProcess(far, image: b.path, format: b.format)
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        try fill(client, 1, at: 0, count: 8 << 20)
        let remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        _ = try process.control.callBlocking(
            .mirrorStart(destination: remote, bytesPerSecond: 16 << 20, settings: MirrorSettings(retrySeconds: 600)))
        while try #require(try process.status().mirror).copiedBytes < 4 << 20 {}
        server.kill()
        try fill(client, 2, at: 0, count: 1 << 20)
        server = try DatapathProcess(far, image: b.path, format: b.format)
        try fill(client, 3, at: 2 << 20, count: 4096)
        let mirror = try process.awaitPhase(.synchronised)
        #expect(try #require(mirror.details).retries > 0)
        _ = try process.control.callBlocking(.pivotPrepare)
        _ = try process.control.callBlocking(.pivotCommit)
        try fill(client, 4, at: 9 << 20, count: 4096)
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
        let reads = ["read -P 2 0 1M", "read -P 3 2M 4k", "read -P 1 3M 5M", "read -P 4 9M 4k"]
        try Tool.check("qemu-io", ["-f", "qcow2", "-r"] + reads.flatMap { ["-c", $0] } + [b.path])
    }

    /// Each connection is asked, and a server that is gone or silent is known before anybody relies on it.
    @Test func aProbeFindsALostDestination() async throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.raw", "raw"))
        var server = try DatapathProcess(far, image: b.path, format: b.format)
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        func probe(_ milliseconds: UInt64 = 60_000) -> String {
            do {
                _ = try process.control.callBlocking(.mirrorProbe(milliseconds: milliseconds))
                return "ok"
            } catch { return (error as? DatapathClient.Failure)?.code ?? "\(error)" }
        }
        #expect(probe() == "notFound")
        let remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        _ = try process.control.callBlocking(
            .mirrorStart(destination: remote, bytesPerSecond: 0, settings: MirrorSettings(retrySeconds: 600)))
        _ = try process.awaitPhase(.synchronised)
        let before = try #require(try server.status().counters).reads
        #expect(probe() == "ok")
        try await reach("all four were asked") { try server.status().counters?.reads == before + 4 }
        Foundation.kill(server.pid, SIGSTOP)
        #expect(probe(50) == "busy")
        #expect(try process.status().mirror?.phase == .synchronised)
        Foundation.kill(server.pid, SIGCONT)
        #expect(probe() == "ok")
        server.kill()
        #expect(["disconnected", "busy"].contains(probe()))
        #expect(try process.status().mirror?.details?.isRetrying == true)
        server = try DatapathProcess(far, image: b.path, format: b.format)
        _ = try process.awaitPhase(.synchronised)
        #expect(probe() == "ok")
        #expect(try process.status().mirror?.details?.mustBeCompared == true)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(probe() == "notFound")
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
    }

    /// Pages without data do not go to an export that is blank, however they lie between those with data.
    @Test func anExportGetsThePagesThatHoldSomething() async throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.raw", "raw"))
        let pages = stride(from: 0, to: Self.size, by: 65536).map { $0 + $0 >> 4 % 65536 & ~4095 }
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        for page in pages { try fill(client, 7, at: page, count: 4096) }
        let server = try DatapathProcess(far, image: b.path, format: b.format)
        let remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        _ = try process.control.callBlocking(.mirrorStart(destination: remote, bytesPerSecond: 0))
        _ = try process.awaitPhase(.synchronised)
        _ = try process.control.callBlocking(.mirrorVerify)
        let expected = UInt64(pages.count) * 4096
        try await reach("all is counted") { try server.status().counters?.writtenBytes ?? 0 >= expected }
        #expect(try server.status().counters?.writtenBytes == expected)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
    }

    /// A destination that shares with others gets what differs from it and no more, also by the connections that come after the first.
    @Test func aDestinationThatIsReachedAgainKeepsWhatItShares() throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(far, "b.raw", "raw"))
        // Both have the content of the snapshot.
        for path in [a.path, b.path] { try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 1 0 8M", path]) }
        var server = try DatapathProcess(far, image: b.path, format: b.format)
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        var remote = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(server.nbdSocket)", format: ImageSpecification.remote)
        remote.isFilled = true
        _ = try process.control.callBlocking(
            .mirrorStart(destination: remote, bytesPerSecond: 16 << 20, settings: MirrorSettings(retrySeconds: 600)))
        while try #require(try process.status().mirror).copiedBytes < 2 << 20 {}
        #expect(try server.status().counters?.writtenBytes == 0)
        server.kill()
        server = try DatapathProcess(far, image: b.path, format: b.format)
        try fill(client, 3, at: 7 << 20, count: 4096)
        let mirror = try process.awaitPhase(.synchronised)
        #expect(try #require(mirror.details).retries > 0)
        _ = try process.control.callBlocking(.mirrorVerify)
        let written = try #require(try server.status().counters?.writtenBytes)
        #expect(written >= 4096 && written < 256 << 10)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(try process.quit() == 0)
        #expect(try server.quit() == 0)
    }

    @Test func aRunningMirrorIsPausedChangedAndVerified() throws {
        let folder = try ScratchFolder("dp")
        let (a, b) = (try image(folder, "a.raw", "raw"), try image(folder, "b.vhd", "vhd"))
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let client = try process.connect()
        try fill(client, 1, at: 0, count: 4 << 20)
        let wrong = #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(
                .mirrorStart(destination: b, bytesPerSecond: 0, settings: MirrorSettings(mode: "sideways")))
        }
        #expect(wrong?.code == "unsupported")
        #expect(throws: DatapathClient.Failure.self) {
            try process.control.callBlocking(.mirrorSet(settings: MirrorSettings(isPaused: true)))
        }
        _ = try process.control.callBlocking(
            .mirrorStart(
                destination: b, bytesPerSecond: 0, settings: MirrorSettings(mode: "background", isPaused: true)))
        try fill(client, 2, at: 0, count: 4096)
        let paused = try #require(try process.status().mirror)
        #expect(paused.copiedBytes == 0 && paused.details?.settings.isPaused == true && paused.phase == .copying)
        #expect(paused.details?.isActive == false)
        _ = try process.control.callBlocking(
            .mirrorSet(settings: MirrorSettings(latencyBudget: 5000, mode: "active", isPaused: false)))
        let mirror = try process.awaitPhase(.synchronised)
        #expect(mirror.details?.isActive == true && mirror.details?.settings.latencyBudget == 5000)
        #expect(mirror.details?.isCompared == false)
        _ = try process.control.callBlocking(.mirrorVerify)
        #expect(try process.status().mirror?.details?.isCompared == true)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(throws: DatapathClient.Failure.self) { try process.control.callBlocking(.mirrorVerify) }
        #expect(try process.status().version == DatapathProtocol.version)
        #expect(try process.quit() == 0)
    }

    /// Who starts a mirror while another one is being started is refused, and takes nothing from that one.
    @Test func ofTwoMirrorsThatAreStartedAtOnceOneIsRefused() throws {
        let folder = try ScratchFolder("dp")
        let images = try ["a", "b", "c"].map { try image(folder, "\($0).raw", "raw") }
        let process = try DatapathProcess(folder, image: images[0].path, format: "raw", mirrorMap: true)
        for _ in 0..<20 {
            let started = Mutex<[ImageSpecification]>([])
            let starters = images[1...].map { destination in
                WorkerThread("starter") { [control = process.control] in
                    let settings = MirrorSettings(isPaused: true)
                    let request = DatapathRequest.mirrorStart(
                        destination: destination, bytesPerSecond: 0, settings: settings)
                    guard (try? control.callBlocking(request)) != nil else { return }
                    started.withLock { $0.append(destination) }
                }
            }
            for starter in starters { starter.join() }
            let winners = started.withLock { $0 }
            let winner = try #require(winners.first)
            #expect(winners.count == 1)
            #expect(try process.status().mirror?.destination == winner)
            let map = try #require(FileManager.default.contents(atPath: folder.file("map")))
            #expect(map.range(of: Data(winner.path.utf8)) != nil, "the map is the other's")
            _ = try process.control.callBlocking(.mirrorCancel)
        }
        #expect(try process.quit() == 0)
    }

    /// A cancellation does not wait for a destination that takes its time, and the mirror to it does not begin behind its back.
    @Test func aMirrorIsCancelledWhileItsDestinationIsOpened() throws {
        let (folder, far) = (try ScratchFolder("dp"), try ScratchFolder("far"))
        let images = try ["a", "b"].map { try image(folder, "\($0).raw", "raw") }
        let process = try DatapathProcess(folder, image: images[0].path, format: "raw", mirrorMap: true)
        // SAFETY: Swift's own temporary C string, and the local structure.
        let listener = unsafe gantry_unix_listen(far.file("s"), 4)
        try #require(listener >= 0)
        let destination = ImageSpecification(
            path: "nbd+unix:///disk?socket=\(far.file("s"))", format: ImageSpecification.remote)
        let failure = Mutex<DatapathClient.Failure?>(nil)
        let starter = WorkerThread("starter") { [control = process.control] in
            do {
                _ = try control.callBlocking(.mirrorStart(destination: destination, bytesPerSecond: 0))
            } catch { failure.withLock { $0 = error as? DatapathClient.Failure } }
        }
        // It has come and waits for the server's first word.
        var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&entry, 1, -1) == 1)
        _ = try process.control.callBlocking(.mirrorCancel)
        let server = NBDServer(exports: [NBDExport(name: "disk", device: MemoryDevice(size: Self.size))])
        try server.start(listening: listener)
        starter.join()
        #expect(failure.withLock { $0?.code } == "cancelled")
        #expect(try process.status().mirror == nil)
        // The next one is nobody's business but its own.
        _ = try process.control.callBlocking(.mirrorStart(destination: images[1], bytesPerSecond: 0))
        _ = try process.awaitPhase(.synchronised)
        _ = try process.control.callBlocking(.mirrorCancel)
        #expect(throws: DatapathClient.Failure.self) { try process.control.callBlocking(.mirrorCancel) }
        #expect(try process.quit() == 0)
        server.stop()
    }

    @Test func aCancellationIsOfWhatWasAskedForBefore() throws {
        var starts = MirrorStarts()
        let nothing = starts.cancel()
        let (first, second) = (starts.begin(), starts.begin())
        try starts.check(first)
        let both = starts.cancel()
        let third = starts.begin()
        #expect(!nothing && both)
        for ticket in [first, second] { #expect(throws: BlockError.self) { try starts.check(ticket) } }
        try starts.check(third)
        for _ in 0..<3 { starts.end() }
        let none = starts.cancel()
        #expect(!none)
    }

    /// Many moves under faults, a few of them here, the first to a destination that is full; `scripts/soak-mirror.py` itself does
    /// hundreds.
    @Test func aDiskThatMovesUnderFaultsLosesNoBlock() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("soak")
        let told = try Tool.check(
            "python3",
            [
                SourceTree.url("scripts/soak-mirror.py").path, "--datapath", try Tool.find("gantry-datapath"),
                "--moves", "5", "--mib", "4", "--seed", String(random.next() >> 32), "--dir", folder.path,
                "--first", "full",
            ])
        #expect(told.contains("ran out of room: "), "\(told)")
    }

    @Test func aProcessThatServesImagesCannotStartPrograms() throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.raw", "raw")
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        #expect(status.contains("NoNewPrivs:\t1"))
        // A sanitizer's build goes without, and a kernel may not have it.
        let mode = gantry_is_sanitized() ? 0 : 2
        #expect(status.contains("Seccomp:\t\(mode)\n") || !status.contains("Seccomp:"))
        #expect(try process.quit() == 0)
    }

    /// One that is out of hand ends before its host does.
    @Test func aProcessThatServesImagesHasMemoryToAnEnd() throws {
        let folder = try ScratchFolder("dp")
        let a = try image(folder, "a.raw", "raw")
        let process = try DatapathProcess(folder, image: a.path, format: a.format)
        let limits = try String(contentsOfFile: "/proc/\(process.pid)/limits", encoding: .utf8)
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max data size") })
        let numbers = line.split(separator: " ").dropFirst(3).prefix(2)
        if !gantry_is_sanitized() { #expect(numbers == ["17179869184", "17179869184"]) }
        #expect(try process.quit() == 0)
    }
}
