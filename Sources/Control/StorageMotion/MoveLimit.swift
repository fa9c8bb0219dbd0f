/// How many moves an SR, a host or a link takes part in at once, by what administrators have written in `other_config`. A value.
public struct MoveLimit: Sendable {
    /// Where a word stands.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        /// `SR`, `host` or `pool`.
        public let object: String
        public let uuid: String
        /// Of its `other_config`.
        public let key: String

        public init(object: String, uuid: String, key: String) {
            (self.object, self.uuid, self.key) = (object, uuid, key)
        }

        public var description: String { "\(object) \(uuid), other_config:\(key)" }
    }

    /// Where nobody has said anything else.
    public static let standard = 3

    public let count: Int
    /// The words that are no numbers of 1 or more, which count as if they were not there.
    public let passedOver: [(place: Place, word: String)]

    /// `words`: what counts first comes first.
    public init(_ words: [(place: Place, word: String)]) {
        var passedOver: [(place: Place, word: String)] = []
        for (place, word) in words {
            if let count = Int(word), count >= 1 {
                (self.count, self.passedOver) = (count, passedOver)
                return
            }
            passedOver.append((place, word))
        }
        (count, self.passedOver) = (Self.standard, passedOver)
    }

    /// For whoever plans a move.
    public var notes: [String] {
        passedOver.map { place, word in
            "\(place) is '\(word.prefix(100))', no number of 1 or more: \(count) moves at once count instead"
        }
    }
}
