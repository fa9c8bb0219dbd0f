// The control protocol of a data-path process: one JSON object a line on its control socket, each answered by one line.
// Unknown members are ignored and unknown operations answered with an error, so that either side may be newer.

public enum DatapathProtocol {
    /// Grows with each request or member that the other side may want to rely on: 2 has `mirrorSet`, `mirrorVerify`, maps
    /// that outlive the process, and this number in the status; 3 has `handOver`; 4 has servers and failures in it; 5 has
    /// `mirrorProbe`. A side that asks for more than the other knows is answered `unsupported` and goes on without.
    public static let version = 5
}

/// An image as the data path opens it: a file, or an NBD server's export. The format is always declared, never probed.
public struct ImageSpecification: Codable, Hashable, Sendable {
    /// What `format` says for an export on a Unix socket; `path` is then `nbd:unix:<socket>:exportname=<name>`.
    public static let nbd = "nbd"

    /// What `format` says for a remote export; `path` is then its URI.
    public static let remote = "nbd-uri"

    /// Absolute path, or the text form of an export.
    public var path: String
    /// `raw`, `vhd`, `qcow2`, `nbd` or `nbd-uri`.
    public var format: String
    public var readOnly: Bool
    /// The images below it, nearest first; nil or empty when it has no parent.
    public var parents: [Parent]?
    /// The image and its parents are files of a folder that others can change: a symbolic link in the place of one is refused.
    /// Nil, as earlier versions have it: a link is followed.
    public var refusesLinks: Bool?
    /// The log of changed blocks beside it, absolute path: what is written is marked there. Of a read-only image it is what
    /// clients are told has changed. Nil: nothing is tracked.
    public var changeLog: String?
    /// As a mirror's destination: it holds content already, and only what differs from that is written. Nil: it does when it has
    /// parents.
    public var isFilled: Bool?

    /// An image that others are differences to. Opened read-only.
    public struct Parent: Codable, Hashable, Sendable {
        /// Absolute path.
        public var path: String
        public var format: String

        public init(path: String, format: String) {
            self.path = path
            self.format = format
        }
    }

    public init(
        path: String, format: String, readOnly: Bool = false, parents: [Parent]? = nil, refusesLinks: Bool? = nil
    ) {
        self.path = path
        self.format = format
        self.readOnly = readOnly
        self.parents = parents
        self.refusesLinks = refusesLinks
    }

    /// Served by a process of its own, here or elsewhere.
    public var isExport: Bool { format == Self.nbd || format == Self.remote }

    /// What gantry-datapath is told: `--image PATH --format FMT`, `--no-links`, `--parent FMT:PATH` for each parent, nearest
    /// first, and `--change-log PATH`.
    public var arguments: [String] {
        ["--image", path, "--format", format] + (refusesLinks == true ? ["--no-links"] : [])
            + (parents ?? []).flatMap { ["--parent", "\($0.format):\($0.path)"] }
            + (changeLog.map { ["--change-log", $0] } ?? [])
    }
}

public enum DatapathRequest: Codable, Sendable {
    case status
    /// Puts the mirror filter above the present image and starts copying to `destination`, which exists and is at least as
    /// large. `bytesPerSecond` 0: no limit. `resume`: goes on where an earlier process was, if it left a map of the same
    /// two images that can be trusted; everything is copied otherwise.
    case mirrorStart(
        destination: ImageSpecification, bytesPerSecond: UInt64, settings: MirrorSettings? = nil, resume: Bool? = nil)
    case mirrorSetRate(bytesPerSecond: UInt64)
    /// Changes the running mirror's settings.
    case mirrorSet(settings: MirrorSettings)
    /// Compares both images while both get every write, at the mirror's rate; stands while that is paused. Answered `ok` when
    /// they are alike; `corrupt` when not, and the mirror is broken then; `busy` when the mirror is not in sync.
    case mirrorVerify
    /// Asks each connection to the mirror's destination for one block, and writes nothing. Answered `ok` when all have answered, at
    /// once where there is no peer; `busy` when they have not within so many milliseconds, 60,000 at most, or when the destination
    /// hangs or is being tried again; `notFound` without a mirror; else with what a connection was found to have failed with: the
    /// mirror is `broken` then, and its destination tried again as any other that has failed. In any phase.
    case mirrorProbe(milliseconds: UInt64)
    /// Phase (a) and (b) of the pivot: drains, flushes both; from then on writes go to both images and reads to the
    /// destination. Answered when that is so. Asked for again it flushes both once more, as a last look before the commit.
    case pivotPrepare
    /// Phase (d): drops the source. The caller has committed that the destination is authoritative.
    case pivotCommit
    /// Ends the mirror in favour of the source, in any phase before `pivotCommit`. `busy` after ten seconds when a destination that hangs
    /// has not let go: the mirror is given up, no guest waits for it, and it ends later by itself; its destination must not be deleted
    /// before it is asked again and is over (`notFound`).
    case mirrorCancel
    /// Answers what is in flight, flushes and closes the image; later requests wait for `resume`. Not while mirrored.
    case pause
    /// Goes on with `image`, which shows the same disk as the paused one, or the same disk grown.
    case resume(image: ImageSpecification)
    /// A snapshot of the tracked disk goes: the marks of its log (absolute path; nil for none) are added to the disk's, which
    /// from then on is relative to the log of `parent`, a UUID, or to none.
    case mergeChanges(log: String?, parent: String?)
    /// Cuts the NBD connections: clients that connect again learn the size that the disk has now.
    case disconnectClients
    /// Holds the disk's clients to these limits, from the next request on, instead of those before.
    case setLimits(DiskLimitSettings)
    /// Open files that come with the message, in the order of `paths`, the names that later requests of the connection have
    /// for them: for a process that may not open them itself. They are its own until the connection ends. After them come
    /// sockets, one for each of `servers` (`ExportServer.name`), whose other ends connect to these servers and which are kept
    /// until a mirror, or the disk, needs them no more. `failures`: the error numbers of files that could not be opened.
    case handOver(paths: [String], servers: [String]? = nil, failures: [String: Int32]? = nil)
    /// Closes the images and ends the process.
    case quit
}

/// How far a mirror is.
public enum MirrorPhase: String, Codable, Sendable {
    /// The bulk copy runs; some regions have never been copied.
    case copying
    /// Everything is copied, guest writes go to both before they are answered.
    case synchronised
    /// Between `pivotPrepare` and the decision: both images identical and written.
    case dual
    /// After `pivotPrepare` one of the two images refused a write or flush (`failedSide`): nobody is answered until
    /// `pivotCommit` or `mirrorCancel` decides.
    case undecided
    /// The destination failed; the source is untouched and authoritative.
    case broken
}

public struct MirrorStatus: Codable, Sendable {
    public var phase: MirrorPhase
    public var destination: ImageSpecification
    /// Bytes that the copy has to move in all, as known now (allocated data, and what was written meanwhile).
    public var totalBytes: UInt64
    public var copiedBytes: UInt64
    /// Bytes that still differ, or may.
    public var dirtyBytes: UInt64
    /// Copy rate over the last second, bytes per second.
    public var bytesPerSecond: UInt64
    /// Why it is broken or undecided.
    public var error: String?
    /// In `undecided`, the image that refused first: `source` or `destination`.
    public var failedSide: String?
    /// Nil from a data path of an earlier version.
    public var details: MirrorDetails?

    public init(
        phase: MirrorPhase, destination: ImageSpecification, totalBytes: UInt64, copiedBytes: UInt64,
        dirtyBytes: UInt64, bytesPerSecond: UInt64, error: String? = nil, failedSide: String? = nil,
        details: MirrorDetails? = nil
    ) {
        self.details = details
        self.phase = phase
        self.destination = destination
        self.totalBytes = totalBytes
        self.copiedBytes = copiedBytes
        self.dirtyBytes = dirtyBytes
        self.bytesPerSecond = bytesPerSecond
        self.error = error
        self.failedSide = failedSide
    }
}

/// What a data path has done for its clients since its process was started: numbers that only grow. Bytes and
/// nanoseconds; times are those of requests, from when they were taken up until their replies were sent.
public struct DatapathCounters: Codable, Hashable, Sendable {
    public var reads: UInt64 = 0
    public var readBytes: UInt64 = 0
    public var readNanoseconds: UInt64 = 0
    public var writes: UInt64 = 0
    public var writtenBytes: UInt64 = 0
    public var writeNanoseconds: UInt64 = 0
    public var flushes: UInt64 = 0
    public var flushNanoseconds: UInt64 = 0
    /// Trims and zeroings.
    public var discards: UInt64 = 0
    public var discardedBytes: UInt64 = 0
    /// How many requests took how long: element `n` counts those below `2^n` microseconds that the one before does not, the
    /// last all that were longer. Nil from a data path of an earlier version.
    public var readLatency: [UInt64]?
    public var writeLatency: [UInt64]?
    public var flushLatency: [UInt64]?

    public init() {}
}

public struct DatapathStatus: Codable, Sendable {
    public var pid: Int32
    /// The authoritative image: the source until `pivotCommit`, the destination after it.
    public var image: ImageSpecification
    public var virtualSize: UInt64
    public var mirror: MirrorStatus?
    /// NBD clients connected now.
    public var connections: Int
    /// Nil from a data path of an earlier version.
    public var counters: DatapathCounters?
    /// Requests wait for `resume`. Nil from a data path of an earlier version.
    public var isPaused: Bool?
    /// `DatapathProtocol.version` of the process. Nil from one of before there were versions.
    public var version: Int? = DatapathProtocol.version
    /// Changes are marked in a log. Nil from a data path of an earlier version, which cannot.
    public var tracksChanges: Bool?

    public init(
        pid: Int32, image: ImageSpecification, virtualSize: UInt64, mirror: MirrorStatus?, connections: Int,
        counters: DatapathCounters? = nil, isPaused: Bool? = nil, tracksChanges: Bool? = nil
    ) {
        self.pid = pid
        self.image = image
        self.virtualSize = virtualSize
        self.mirror = mirror
        self.connections = connections
        self.counters = counters
        self.isPaused = isPaused
        self.tracksChanges = tracksChanges
    }
}

public enum DatapathReply: Codable, Sendable {
    case ok
    case status(DatapathStatus)
    /// `code` is a `BlockError.Code` name.
    case failed(code: String, message: String)
}
