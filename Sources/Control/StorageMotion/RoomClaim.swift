public import StorageInterface

/// What an accepted move still does to the room of one SR: it takes some until its copy is done, or gives some back when it
/// is over. Made of the move's record alone, so that it outlives a restart, and is over with the record; what its images
/// have by now is added by whoever asks a driver. A value.
///
/// What an image has allocated is counted by the driver as used; only the rest of what it takes at least is reserved.
public struct RoomClaim: Hashable, Sendable {
    /// Names the move: the record's key.
    public let id: String
    /// The call that it belongs to, whose moves are begun and committed together.
    public let call: String
    /// When that came, microseconds of the epoch.
    public var time: Int64 = 0
    /// It was accepted in the hope of what others give back, and has not begun.
    public var isWaiting = false
    /// Bytes that its new images here take in the end, at least (`LeastRoom`); 0: it writes nothing here, or no more.
    public var least: UInt64 = 0
    /// Those of them that may exist.
    public var images: [VolumeID] = []
    /// Bytes that they have allocated, the images that they stand on included; nil: nobody has asked.
    public var allocated: UInt64?
    /// Bytes that its copy has still to move, where the rest is done; nil: not known.
    public var unread: UInt64?
    /// The images here that go when it is over.
    public var leaving: [VolumeID] = []
    /// Bytes that these have; more than what is given back where others stand on the same.
    public var frees: UInt64 = 0
    /// Bytes of them on which nothing stands that stays: so many are given back at least.
    public var returns: UInt64 = 0

    public init(id: String, call: String? = nil) { (self.id, self.call) = (id, call ?? id) }

    /// Bytes that it takes still, as far as that is certain: zeroes that the source had stored need not be written.
    public var left: UInt64 { min(least - min(least, allocated ?? 0), unread ?? .max) }
}

/// The claims of all accepted moves on one SR.
public struct RoomClaims: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case fits
        /// It may, once others have given back what they will.
        case waits
        case full
    }

    public var all: [RoomClaim]

    public init(_ all: [RoomClaim] = []) { self.all = all }

    /// Bytes that they take still.
    public var reserved: UInt64 { Self.sum(all.map(\.left)) }
    /// Bytes that they may give back.
    public var freed: UInt64 { Self.sum(all.map(\.frees)) }

    /// Those that a call which waits lets go first: all that have begun, and those that wait for longer. Of two that wait, one is before
    /// the other, and nobody who has begun waits: they never wait for each other in a circle.
    public func ahead(of call: String, since time: Int64) -> RoomClaims {
        RoomClaims(all.filter { $0.call != call && (!$0.isWaiting || ($0.time, $0.call) < (time, call)) })
    }

    public func besides(_ call: String?) -> RoomClaims { RoomClaims(all.filter { $0.call != call }) }

    /// Whether `needed` bytes find room besides, where `free` are free.
    ///
    /// What has begun has its room first. What waits has taken none yet: who comes later goes before it where each of those that
    /// wait still finds its room in its turn, by what those before it give back for certain; its own old images it has until it has
    /// moved. Who waits hopes for more: for all that they may give back.
    public func verdict(needed: UInt64, free: UInt64) -> Verdict {
        let begun = all.filter { !$0.isWaiting }
        var others = Self.sum(begun.map(\.left))
        var certain = Self.sum(begun.map(\.returns) + [free])
        func isLeft(of room: UInt64) -> Bool { needed <= room - min(room, others) }
        let fitsNow = isLeft(of: free)
        var leavesOthersTheirs = true
        for call in line {
            others = Self.sum(call.map(\.left) + [others])
            leavesOthersTheirs = leavesOthersTheirs && isLeft(of: certain)
            certain = Self.sum(call.map(\.returns) + [certain])
        }
        if fitsNow && leavesOthersTheirs { return .fits }
        // What is freed is there for those that were accepted before, too.
        return freed > 0 && isLeft(of: Self.sum([freed, free])) ? .waits : .full
    }

    /// The claims that wait, call by call, in their order.
    private var line: [[RoomClaim]] {
        Dictionary(grouping: all.filter(\.isWaiting), by: \.call).values
            .sorted { ($0[0].time, $0[0].call) < ($1[0].time, $1[0].call) }
    }

    /// No more than there are numbers.
    public static func sum(_ values: [UInt64]) -> UInt64 {
        values.reduce(0) { total, value in
            let (sum, overflow) = total.addingReportingOverflow(value)
            return overflow ? .max : sum
        }
    }
}

/// What a decision about an SR's room stands on. Between it and the moment when the move is noted others may be accepted, which
/// is seen then without another question to the driver.
public struct RoomBasis: Hashable, Sendable {
    /// Bytes that the move takes there at least, and that were free.
    public let needed: UInt64
    public let free: UInt64
    /// It was accepted to wait, which it does until there is room, whoever came since.
    public let waits: Bool
    private let known: [String: RoomClaim]

    public init(needed: UInt64, free: UInt64, waits: Bool, claims: RoomClaims) {
        (self.needed, self.free, self.waits) = (needed, free, waits)
        known = Dictionary(claims.all.map { ($0.id, $0) }) { first, _ in first }
    }

    /// Whether it holds beside the claims that there are now. One that was there before takes no more than it did then, and gives
    /// as much back; one that is gone takes nothing.
    public func holds(beside claims: RoomClaims) -> Bool {
        if waits { return true }
        let measured = claims.all.map { claim in
            guard let before = known[claim.id] else { return claim }
            var now = claim
            (now.least, now.allocated, now.unread) = (min(before.left, claim.left), nil, nil)
            (now.frees, now.returns) = (before.frees, before.returns)
            return now
        }
        return RoomClaims(measured).verdict(needed: needed, free: free) == .fits
    }
}

extension DiskMotion {
    /// What the move does to the room of the SR; nil: nothing.
    public func roomClaim(in sr: String) -> RoomClaim? {
        var claim = RoomClaim(id: id, call: call?.task)
        claim.time = call?.time ?? 0
        claim.isWaiting = waitsForRoom == true && phase == .planned
        let made = snapshots.filter(\.isBegun).map {
            VolumeID(location: $0.destinationLocation, uuid: $0.destinationUUID, ref: $0.destinationRef)
        }
        let own = VolumeID(location: destinationLocation, uuid: destinationUUID, ref: destinationRef)
        if destinationSR == sr {
            switch phase {
            case .planned: claim.least = room ?? 0
            case .created, .mirroring: (claim.least, claim.images) = (room ?? 0, made + [own])
            // What is not written by then is not certain to be.
            case .pivoting, .committed: break
            // It gives back what it has, unless that cannot be removed.
            case .abandoned: if !isReleased { claim.leaving = made + [own] }
            }
        }
        if sourceSR == sr, phase != .abandoned, !isReleased {
            claim.leaving += snapshots.map {
                VolumeID(location: $0.sourceLocation, uuid: $0.sourceUUID, ref: $0.sourceRef)
            }
            claim.leaving.append(VolumeID(location: sourceLocation, uuid: sourceUUID, ref: sourceRef))
        }
        return claim.least == 0 && claim.leaving.isEmpty ? nil : claim
    }
}
