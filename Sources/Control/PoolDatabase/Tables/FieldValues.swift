import APITypes

/// The values that a row has of its own, by the position of their fields. Fields without one take no room.
struct FieldValues: Sendable {
    private var present: UInt128 = 0
    private var values: ContiguousArray<APIValue> = []

    /// The most fields that a class may have.
    static let most = 128

    subscript(position: Int) -> APIValue? {
        get {
            let bit = UInt128(1) << UInt128(position)
            guard present & bit != 0 else { return nil }
            return values[(present & (bit &- 1)).nonzeroBitCount]
        }
        set {
            let bit = UInt128(1) << UInt128(position)
            let index = (present & (bit &- 1)).nonzeroBitCount
            switch (present & bit != 0, newValue) {
            case (true, let value?): values[index] = value
            case (true, nil):
                values.remove(at: index)
                present &= ~bit
            case (false, let value?):
                values.insert(value, at: index)
                present |= bit
            case (false, nil): break
            }
        }
    }

    var count: Int { values.count }

    /// Every value with the position of its field, lowest first.
    func forEach(_ body: (Int, APIValue) -> Void) {
        var rest = present
        for value in values {
            body(rest.trailingZeroBitCount, value)
            rest &= rest - 1
        }
    }
}
