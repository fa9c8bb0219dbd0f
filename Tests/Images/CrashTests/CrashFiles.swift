import TestSupport

/// The files that an image, or a chain, consists of; one clock counts what happens to all of them.
struct CrashFiles {
    var contents: [PagedBytes]
    let paths: [String]
    /// The image is on a block device, which has one length.
    var isOnDevice = false

    func stores(readOnly: Bool = false) -> [RecordingStore] {
        let clock = EventClock()
        return zip(contents, paths).map {
            RecordingStore($0, path: $1, readOnly: readOnly, isBlockDevice: isOnDevice, clock: clock)
        }
    }

    /// As the stores have them now.
    func now(_ stores: [RecordingStore]) -> CrashFiles {
        CrashFiles(contents: stores.map(\.bytes), paths: paths, isOnDevice: isOnDevice)
    }
}

/// What was recorded of the files of a machine.
struct CrashLog {
    private let logs: [RecordingStore.Log]
    /// Events of all files.
    let count: Int
    /// When barriers were.
    private let barriers: [Int]
    /// When the beginning of the first file was changed, which is rare and most delicate.
    private let delicate: [Int]

    init(_ stores: [RecordingStore]) {
        let logs = stores.map(\.log)
        self.logs = logs
        count = logs.reduce(0) { $0 + $1.events.count }
        barriers = logs.flatMap { log in log.barriers.map { log.times[$0.event] } }.sorted()
        delicate =
            logs.first.map { log in
                log.events.indices.filter {
                    if case .write(let offset, _) = log.events[$0] { offset < 512 } else { false }
                }.map { log.times[$0] }
            } ?? []
    }

    /// The files after a crash just before event `cut`.
    func state(cut: Int, style: CrashStates.Style, _ random: inout SeededRandom) -> [PagedBytes] {
        logs.map { CrashStates.state($0, cut: $0.count(before: cut), style: style, &random) }
    }

    /// The `index`-th of `share` crashes. A third of them are prefixes, all of them where that many suffice; the others
    /// are taken mostly just before a barrier, where most is at stake.
    func moment(_ index: Int, of share: Int, _ random: inout SeededRandom) -> (cut: Int, style: CrashStates.Style) {
        if index % 3 == 0 {
            let prefixes = (share + 2) / 3
            return (prefixes > count ? index / 3 % (count + 1) : Int.random(in: 0...count, using: &random), .everything)
        }
        var cut = Int.random(in: 0...count, using: &random)
        if index % 3 == 1 {
            cut = barriers.randomElement(using: &random) ?? cut
        } else if Int.random(in: 0..<3, using: &random) == 0, let event = delicate.randomElement(using: &random) {
            cut = barriers.first { $0 > event } ?? event + 1
        }
        return (cut, CrashStates.Style.allCases.randomElement(using: &random) ?? .nothing)
    }
}
