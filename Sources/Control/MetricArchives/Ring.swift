/// The newest values of a series, at most `capacity`. Memory grows with what is there.
struct Ring: Hashable, Sendable {
    let capacity: Int
    private var values: [Double] = []
    /// Where the oldest value is, once the ring is full.
    private var head = 0

    init(capacity: Int) { self.capacity = capacity }

    /// `values` oldest first; the newest `capacity` of them are kept.
    init(capacity: Int, oldestFirst values: [Double]) {
        self.capacity = capacity
        self.values = values.suffix(capacity)
    }

    var count: Int { values.count }

    mutating func append(_ value: Double) {
        if values.count < capacity {
            values.append(value)
        } else {
            values[head] = value
            head = (head + 1) % capacity
        }
    }

    mutating func append(repeating value: Double, count: Int) {
        for _ in 0..<min(max(count, 0), capacity) { append(value) }
    }

    /// The value `age` places before the newest; NaN where there is none.
    func value(age: Int) -> Double {
        guard age >= 0, age < values.count else { return .nan }
        return values[(head + values.count - 1 - age) % values.count]
    }

    var oldestFirst: [Double] { Array(values[head...] + values[..<head]) }

    // NaN is a value like any other here: two rings of the same bits are the same.
    static func == (left: Ring, right: Ring) -> Bool {
        left.capacity == right.capacity
            && left.oldestFirst.map(\.bitPattern) == right.oldestFirst.map(\.bitPattern)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(oldestFirst.map(\.bitPattern)) }
}
