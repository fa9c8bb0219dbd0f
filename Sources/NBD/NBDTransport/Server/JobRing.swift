/// A queue of a fixed number of places, in one piece of memory from start to end.
struct JobRing<Job> {
    private var places: [Job?]
    private var first = 0
    private(set) var count = 0

    /// `capacity`: at least 1.
    init(capacity: Int) { places = [Job?](repeating: nil, count: max(1, capacity)) }

    var capacity: Int { places.count }
    var isFull: Bool { count == places.count }

    /// False, and no change, when it is full.
    mutating func append(_ job: Job) -> Bool {
        if isFull { return false }
        places[(first + count) % places.count] = job
        count += 1
        return true
    }

    /// The one that waits longest.
    mutating func take() -> Job? {
        if count == 0 { return nil }
        let job = places[first]
        places[first] = nil
        first = (first + 1) % places.count
        count -= 1
        return job
    }
}
