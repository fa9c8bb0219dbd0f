import APITypes
import DatapathControl
import Testing

@testable import Toolstack

/// When both images of a mirror are compared, which may take hours.
@Suite struct ComparedMirrorTests {
    private static func status(
        _ pid: Int32, retries: UInt64 = 0, resumed: UInt64 = 0, format: String = ImageSpecification.remote
    ) -> DatapathStatus {
        let image = ImageSpecification(path: "a", format: "raw")
        let mirror = MirrorStatus(
            phase: .synchronised, destination: ImageSpecification(path: "b", format: format), totalBytes: 1,
            copiedBytes: 1, dirtyBytes: 0, bytesPerSecond: 0,
            details: MirrorDetails(
                settings: MirrorSettings(), isActive: true, isConverging: true, isRetrying: false, retries: retries,
                resumedBytes: resumed, remainingSeconds: nil, delayedWrites: 0, delayMicroseconds: 0,
                longestDelayMicroseconds: 0))
        return DatapathStatus(pid: pid, image: image, virtualSize: 1, mirror: mirror, connections: 0)
    }

    /// A connection that was replaced in the first hour of a copy is not gone into again with the guest standing.
    @Test func whatIsAlikeIsComparedAgainOnlyAfterAnotherConnection() {
        var compared = ComparedMirrors()
        #expect(!compared.mustCompare(0, Self.status(1), isWished: false))
        #expect(compared.mustCompare(0, Self.status(1), isWished: true))
        #expect(compared.mustCompare(0, Self.status(1, retries: 1), isWished: false))
        #expect(compared.mustCompare(0, Self.status(1, resumed: 1), isWished: false))
        #expect(!compared.mustCompare(0, Self.status(1, retries: 1, format: "raw"), isWished: false))
        compared.note(0, Self.status(1, retries: 1))
        for isWished in [false, true] {
            #expect(!compared.mustCompare(0, Self.status(1, retries: 1), isWished: isWished))
            #expect(compared.mustCompare(0, Self.status(1, retries: 2), isWished: isWished))
            // Another process that has taken all of it up from the map.
            #expect(compared.mustCompare(0, Self.status(2, retries: 1), isWished: isWished))
        }
        #expect(!compared.mustCompare(1, Self.status(1), isWished: false))
    }

    /// What the copy of a disk has found out is not looked for once more, and what one disk's wait has, counts for that disk alone.
    @Test func whatIsKnownIsPutTogether() {
        var (all, first, second) = (ComparedMirrors(), ComparedMirrors(), ComparedMirrors())
        first.note(0, Self.status(1))
        second.note(1, Self.status(2))
        all.add(first)
        all.add(second)
        #expect(!all.mustCompare(0, Self.status(1), isWished: true))
        #expect(!all.mustCompare(1, Self.status(2), isWished: true))
        var later = all.of(0)
        #expect(later.mustCompare(1, Self.status(2), isWished: true))
        later.note(0, Self.status(1, retries: 1))
        all.add(later)
        #expect(all.mustCompare(0, Self.status(1), isWished: true))
        #expect(!all.mustCompare(1, Self.status(2), isWished: true))
        #expect(!all.mustCompare(0, Self.status(1, retries: 1), isWished: true))
    }

    /// A data path that counts itself is asked, and what it has compared is not compared again, by whomever.
    @Test func aDataPathSaysWhetherItHasCompared() {
        func mirror(_ isCompared: Bool?, mustBe: Bool, phase: MirrorPhase = .synchronised) -> MirrorStatus {
            var details = MirrorDetails(
                settings: MirrorSettings(), isActive: true, isConverging: true, isRetrying: false, retries: 0,
                resumedBytes: 0, remainingSeconds: nil, delayedWrites: 0, delayMicroseconds: 0,
                longestDelayMicroseconds: 0)
            (details.isCompared, details.mustBeCompared) = (isCompared, mustBe)
            return MirrorStatus(
                phase: phase, destination: ImageSpecification(path: "b", format: "raw"), totalBytes: 1, copiedBytes: 1,
                dirtyBytes: 0, bytesPerSecond: 0, details: details)
        }
        for wasCompared in [false, true] {
            #expect(mirror(false, mustBe: false).mustBeCompared(isWished: true, wasCompared: wasCompared))
            #expect(!mirror(false, mustBe: false).mustBeCompared(isWished: false, wasCompared: wasCompared))
            #expect(mirror(false, mustBe: true).mustBeCompared(isWished: false, wasCompared: wasCompared))
            #expect(!mirror(true, mustBe: false).mustBeCompared(isWished: true, wasCompared: wasCompared))
            #expect(!mirror(false, mustBe: true, phase: .dual).mustBeCompared(isWished: true, wasCompared: wasCompared))
        }
        // Of before.
        #expect(mirror(nil, mustBe: false).mustBeCompared(isWished: true, wasCompared: false))
        #expect(!mirror(nil, mustBe: false).mustBeCompared(isWished: true, wasCompared: true))
        #expect(mirror(nil, mustBe: true).mustBeCompared(isWished: true, wasCompared: true))
    }

    /// Each goes on only when the other has begun.
    @Test func aGuestThatStandsWaitsForAllItsDisksAtOnce() async throws {
        let (first, begin) = AsyncStream.makeStream(of: Void.self)
        let (second, goOn) = AsyncStream.makeStream(of: Void.self)
        try await DepartingDisks.together([0, 1]) { index in
            (index == 0 ? begin : goOn).finish()
            for await _ in index == 0 ? second : first {}
        }
        // What fails ends what would last, and is the reason.
        let error = await #expect(throws: APIError.self) {
            try await DepartingDisks.together([0, 1]) { index in
                if index == 1 { throw APIError("MIRROR_FAILED", "b") }
                try await Task.sleep(for: .seconds(3600))
            }
        }
        #expect(error == APIError("MIRROR_FAILED", "b"))
    }
}
