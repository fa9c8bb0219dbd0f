import HashTreeCollections

/// An object that is gone.
public struct DeletedRow: Sendable, Hashable {
    public let className: String
    public let ref: String
    /// The generation that created it.
    public let created: Int64
    /// The generation that deleted it.
    public let generation: Int64
}

/// The latest deletions of a table, for those who ask what changed. A value like the tables.
struct Deletions: Sendable {
    /// How many are remembered.
    static let most = 10_000

    private var byNumber = OrderedTrie<DeletedRow>()
    private var numbers: TreeDictionary<String, UInt64> = [:]
    private var next: UInt64 = 0
    /// Deletions up to this generation may be missing here.
    private(set) var forgotten: Int64 = 0

    /// The last deletion of a row with this reference.
    subscript(ref: String) -> DeletedRow? { numbers[ref].flatMap { byNumber[$0] } }

    mutating func append(_ row: DeletedRow) {
        byNumber[next] = row
        numbers[row.ref] = next
        next += 1
        guard byNumber.count > Self.most, let oldest = byNumber.first else { return }
        byNumber[oldest.key] = nil
        forgotten = oldest.value.generation
        if numbers[oldest.value.ref] == oldest.key { numbers[oldest.value.ref] = nil }
    }

    /// Those after `generation`, latest first. Costs what it finds.
    func forEach(after generation: Int64, _ body: (DeletedRow) -> Void) {
        byNumber.forEachDescending { _, row in
            guard row.generation > generation else { return false }
            body(row)
            return true
        }
    }
}
