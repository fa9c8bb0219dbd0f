/// A set of rows by reference, in the order in which they were made. A value like `OrderedTrie`; small ones are arrays.
struct MemberSet: Sendable {
    private enum Form: Sendable {
        case few(ContiguousArray<Member>)
        case many(OrderedTrie<String>)
    }

    private struct Member: Sendable {
        let ordinal: UInt64
        let ref: String
    }

    private static let most = 16
    private var form = Form.few([])

    var isEmpty: Bool { count == 0 }

    var count: Int {
        switch form {
        case .few(let members): members.count
        case .many(let trie): trie.count
        }
    }

    mutating func insert(_ ref: String, _ ordinal: UInt64) {
        switch form {
        case .few(var members):
            guard !members.contains(where: { $0.ordinal == ordinal }) else { return }
            let index = members.firstIndex { $0.ordinal > ordinal } ?? members.count
            form = .few([])
            members.insert(Member(ordinal: ordinal, ref: ref), at: index)
            form = .few(members)
            guard members.count > Self.most else { return }
            var trie = OrderedTrie<String>()
            for member in members { trie[member.ordinal] = member.ref }
            form = .many(trie)
        case .many(var trie):
            form = .few([])
            trie[ordinal] = ref
            form = .many(trie)
        }
    }

    mutating func remove(_ ordinal: UInt64) {
        switch form {
        case .few(var members):
            form = .few([])
            members.removeAll { $0.ordinal == ordinal }
            form = .few(members)
        case .many(var trie):
            form = .few([])
            trie[ordinal] = nil
            form = trie.isEmpty ? .few([]) : .many(trie)
        }
    }

    func forEach(_ body: (String) -> Void) {
        switch form {
        case .few(let members): for member in members { body(member.ref) }
        case .many(let trie): trie.forEach { body($1) }
        }
    }

    var refs: [String] {
        var all: [String] = []
        all.reserveCapacity(count)
        forEach { all.append($0) }
        return all
    }
}
