import CoreTypes

/// What a move would do, for people and programs to read before it is begun. Sizes are bytes. The names of its members are
/// an interface: they are added to and not changed.
public struct MovePlan: Codable, Hashable, Sendable {
    public struct Place: Codable, Hashable, Sendable {
        /// Its uuid.
        public var sr: String
        public var name: String
        /// Empty: the driver does not say, or decides.
        public var format: String
        /// Free now; nil when its driver does not say.
        public var free: UInt64?

        public init(sr: String, name: String, format: String, free: UInt64?) {
            self.sr = sr
            self.name = name
            self.format = format
            self.free = free
        }
    }

    public struct Disk: Codable, Hashable, Sendable {
        /// Its uuid.
        public var vdi: String
        public var name: String
        public var role: String
        public var source: Place
        /// Nil: nobody said where it is to go.
        public var destination: Place?
        /// Whose word the format was: `chosen`, `preferred`, `source` or `driver`.
        public var reason: String?
        /// It is where and what it is to be already.
        public var stays = false
        /// How many snapshots go with it.
        public var snapshots = 0
        public var virtualSize: UInt64
        public var newVirtualSize: UInt64?
        public var bytesToMove: UInt64 = 0
        /// Where both images are compared: what is read again, of both. More than what is moved where the new image does not tell what was
        /// written to it.
        public var bytesToCompare: UInt64 = 0
        /// What the destination takes until the move is over, and what the source takes meanwhile beyond what it takes now.
        public var peakAtDestination: UInt64 = 0
        public var peakAtSource: UInt64 = 0
        /// Estimated; nil when nothing is known of the speed.
        public var seconds: UInt64?
        public var risks: [String] = []
        public var notes: [String] = []

        public init(vdi: String, name: String, role: String, source: Place, virtualSize: UInt64) {
            self.vdi = vdi
            self.name = name
            self.role = role
            self.source = source
            self.virtualSize = virtualSize
        }

        /// So many bytes go, to images that take at least `room` (`LeastRoom`): what the refusal of a move counts is what its plan says,
        /// also where a destination gives all of the space at once. As many are compared. `inPlace`: the destination is the source.
        public mutating func take(_ bytes: UInt64, room: UInt64, inPlace: Bool = false) {
            (bytesToMove, bytesToCompare) = (bytes, bytes)
            peakAtDestination = max(bytes, room)
            peakAtSource = inPlace ? peakAtDestination : 0
        }

        /// The new images say that they have data everywhere, whatever was written to them: of each of the `count` that are made whole
        /// all is read to compare it.
        public mutating func compareAll(of count: Int) {
            let size = newVirtualSize ?? virtualSize
            let all = RoomClaims.sum(Array(repeating: size, count: count))
            guard all > bytesToMove else { return }
            bytesToCompare = all
            let what = count == 1 ? "\(size) bytes of it" : "\(all) bytes of it and its snapshots"
            notes.append("the destination does not tell where data were written: all \(what) are read to compare them")
        }

        enum CodingKeys: String, CodingKey {
            case vdi, name, role, source, destination, reason, stays, snapshots, seconds, risks, notes
            case virtualSize = "virtual_size"
            case newVirtualSize = "new_virtual_size"
            case bytesToMove = "bytes_to_move"
            case bytesToCompare = "bytes_to_compare"
            case peakAtDestination = "peak_at_destination"
            case peakAtSource = "peak_at_source"
        }
    }

    /// Why the move would be refused now.
    public struct Blocker: Codable, Hashable, Sendable {
        /// The uuid of the disk; nil: the move as a whole.
        public var vdi: String?
        /// The error's code and parameters, as the move itself would answer.
        public var error: [String]

        public init(vdi: String?, error: [String]) {
            self.vdi = vdi
            self.error = error
        }
    }

    public var disks: [Disk]
    public var blockers: [Blocker] = []
    public var bytesToMove: UInt64 = 0
    /// Bytes that are read again, of both images of each disk; 0 where they are not compared.
    public var bytesToCompare: UInt64 = 0
    /// Both images of each disk are compared, before the old one is given up where it is.
    public var isVerified = false
    /// The old images stay: a copy is made.
    public var isCopy = false
    /// For all together; nil when nothing is known of the speed.
    public var seconds: UInt64?
    /// Bytes per second that the estimate stands on, and where they come from.
    public var bytesPerSecond: UInt64?
    public var basis = ""

    public init(disks: [Disk]) { self.disks = disks }

    enum CodingKeys: String, CodingKey {
        case disks, blockers, seconds, basis
        case isVerified = "verified"
        case isCopy = "copy"
        case bytesToMove = "bytes_to_move"
        case bytesToCompare = "bytes_to_compare"
        case bytesPerSecond = "bytes_per_second"
    }

    /// Says, with the last of them, of disks for one repository that each of them fits and all together may not.
    public mutating func tellSharedRoom() {
        let going = disks.indices.filter { !disks[$0].stays }
        for (sr, group) in Dictionary(grouping: going, by: { disks[$0].destination?.sr ?? "" }) where !sr.isEmpty {
            let peaks = group.map { disks[$0].peakAtDestination }
            let peak = RoomClaims.sum(peaks)
            guard let free = group.compactMap({ disks[$0].destination?.free }).min(), let last = group.last,
                peak > free, peaks.allSatisfy({ $0 <= free })
            else { continue }
            disks[last].risks.append(
                "with the other disks that go there the copies may take up to \(peak) bytes, and the destination has \(free) free"
            )
        }
    }

    /// Adds what follows from the disks, for a speed. To compare is to read, as fast at most.
    public mutating func estimate(bytesPerSecond speed: UInt64?, basis: String) {
        for index in disks.indices where disks[index].stays || !isVerified { disks[index].bytesToCompare = 0 }
        let moving = disks.map { $0.stays ? 0 : $0.bytesToMove }
        bytesToMove = RoomClaims.sum(moving)
        bytesToCompare = RoomClaims.sum(disks.map(\.bytesToCompare))
        guard let speed, speed > 0 else { return }
        (bytesPerSecond, self.basis) = (speed, basis)
        for (index, bytes) in moving.enumerated() {
            disks[index].seconds = RoomClaims.sum([bytes, disks[index].bytesToCompare]).dividedRoundingUp(by: speed)
        }
        // They share the speed.
        seconds = RoomClaims.sum([bytesToMove, bytesToCompare]).dividedRoundingUp(by: speed)
    }
}
