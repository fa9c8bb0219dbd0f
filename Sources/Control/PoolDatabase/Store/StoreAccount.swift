import GRDB

/// What the file says about itself, in the table `meta`: written with every commit, so that parts of the file that are
/// of different times, or that changed by themselves, are noticed on opening.
struct StoreAccount: Sendable {
    /// No row in the file has reached this generation.
    private(set) var ceiling: Int64
    /// The sum of the digests of all rows, records and names.
    private(set) var sum: UInt64

    init() {
        ceiling = 0
        sum = 0
    }

    mutating func reserve(_ generation: Int64) { ceiling = generation }
    mutating func add(_ digest: UInt64) { sum &+= digest }
    mutating func subtract(_ digest: UInt64) { sum &-= digest }

    private var text: String {
        var digest = ContentDigest(seed: 4)
        digest.add(UInt64(bitPattern: ceiling))
        digest.add(sum)
        return "\(ceiling) \(String(sum, radix: 16)) \(String(digest.value, radix: 16))"
    }

    /// The account that was saved; nil when it is not there or not sound.
    static func saved(in database: Database) throws -> StoreAccount? {
        let text = try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'state'")
        let words = (text ?? "").split(separator: " ")
        guard words.count == 3, let ceiling = Int64(words[0]), (0..<1 << 62).contains(ceiling),
            let sum = UInt64(words[1], radix: 16)
        else { return nil }
        var account = StoreAccount()
        account.ceiling = ceiling
        account.sum = sum
        return account.text == text ? account : nil
    }

    func save(in database: Database) throws {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO meta (key, value) VALUES ('state', ?)").execute(
            arguments: [text])
    }

    // MARK: Digests of the parts

    static func row(
        ordinal: UInt64, className: UInt64, ref: String, created: Int64, modified: Int64, fields: [UInt8]
    ) -> UInt64 {
        var digest = ContentDigest(seed: 1)
        digest.add(ordinal)
        digest.add(className)
        digest.add(ref)
        digest.add(UInt64(bitPattern: created))
        digest.add(UInt64(bitPattern: modified))
        digest.add(fields)
        return digest.value
    }

    static func name(_ number: UInt64, _ name: String) -> UInt64 {
        var digest = ContentDigest(seed: 2)
        digest.add(number)
        digest.add(name)
        return digest.value
    }

    static func record(kind: String, key: String, value: String) -> UInt64 {
        var digest = ContentDigest(seed: 3)
        digest.add(kind)
        digest.add(key)
        digest.add(value)
        return digest.value
    }
}
