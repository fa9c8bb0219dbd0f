/// An ordered map from numbers to values: a tree with 32 branches a node that stores only the branches in use. A value:
/// copies share their nodes, and a change copies one path of at most thirteen small nodes, none when nobody shares them.
struct OrderedTrie<Value: Sendable>: Sendable {
    /// `children` of a branch, `values` of a leaf; one entry for each bit that is set, lowest first.
    ///
    /// Unchecked because it changes: only while the tree that changes is its sole owner.
    private final class Node: @unchecked Sendable {
        var bits: UInt32
        var children: ContiguousArray<Node>
        var values: ContiguousArray<Value>

        init(bits: UInt32 = 0, children: ContiguousArray<Node> = [], values: ContiguousArray<Value> = []) {
            self.bits = bits
            self.children = children
            self.values = values
        }

        func place(_ key: UInt64, _ level: Int) -> (bit: UInt32, index: Int) {
            let bit = UInt32(1) << UInt32(truncatingIfNeeded: key >> UInt64(5 * level) & 31)
            return (bit, (bits & (bit &- 1)).nonzeroBitCount)
        }
    }

    private var root = Node()
    /// Levels above the leaves.
    private var height = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(key: UInt64) -> Value? {
        get {
            guard reaches(key) else { return nil }
            var node = root
            for level in stride(from: height, through: 0, by: -1) {
                let (bit, index) = node.place(key, level)
                guard node.bits & bit != 0 else { return nil }
                if level == 0 { return node.values[index] }
                node = node.children[index]
            }
            return nil
        }
        set {
            if let newValue {
                while !reaches(key) {
                    root = count == 0 ? Node() : Node(bits: 1, children: [root])
                    height += 1
                }
                if Self.set(&root, key, height, newValue) { count += 1 }
            } else if self[key] != nil {
                Self.remove(&root, key, height)
                count -= 1
                if count == 0 { (root, height) = (Node(), 0) }
            }
        }
    }

    /// The entry with the lowest key.
    var first: (key: UInt64, value: Value)? {
        var found: (UInt64, Value)?
        _ = Self.walk(root, 0, height) { key, value in
            found = (key, value)
            return false
        }
        return found
    }

    /// Every entry, lowest key first.
    func forEach(_ body: (UInt64, Value) -> Void) {
        _ = Self.walk(root, 0, height) { key, value in
            body(key, value)
            return true
        }
    }

    /// Entries with the highest key first, until `body` says false.
    func forEachDescending(_ body: (UInt64, Value) -> Bool) { _ = Self.walkBack(root, 0, height, body) }

    private func reaches(_ key: UInt64) -> Bool { height >= 12 || key >> UInt64(5 * (height + 1)) == 0 }

    /// True when the key is new.
    private static func set(_ node: inout Node, _ key: UInt64, _ level: Int, _ value: Value) -> Bool {
        own(&node)
        let (bit, index) = node.place(key, level)
        let isThere = node.bits & bit != 0
        node.bits |= bit
        if level == 0 {
            if isThere { node.values[index] = value } else { node.values.insert(value, at: index) }
            return !isThere
        }
        if !isThere { node.children.insert(Node(), at: index) }
        return set(&node.children[index], key, level - 1, value)
    }

    /// The key is there.
    private static func remove(_ node: inout Node, _ key: UInt64, _ level: Int) {
        own(&node)
        let (bit, index) = node.place(key, level)
        if level == 0 {
            node.values.remove(at: index)
        } else {
            remove(&node.children[index], key, level - 1)
            guard node.children[index].bits == 0 else { return }
            node.children.remove(at: index)
        }
        node.bits &= ~bit
    }

    private static func own(_ node: inout Node) {
        guard !isKnownUniquelyReferenced(&node) else { return }
        node = Node(bits: node.bits, children: node.children, values: node.values)
    }

    private static func walk(_ node: Node, _ base: UInt64, _ level: Int, _ body: (UInt64, Value) -> Bool) -> Bool {
        var bits = node.bits
        var index = 0
        while bits != 0 {
            let key = base | UInt64(bits.trailingZeroBitCount) << UInt64(5 * level)
            guard level == 0 ? body(key, node.values[index]) : walk(node.children[index], key, level - 1, body) else {
                return false
            }
            bits &= bits - 1
            index += 1
        }
        return true
    }

    private static func walkBack(
        _ node: Node, _ base: UInt64, _ level: Int, _ body: (UInt64, Value) -> Bool
    ) -> Bool {
        var bits = node.bits
        var index = bits.nonzeroBitCount
        while bits != 0 {
            index -= 1
            let branch = UInt32(31 - bits.leadingZeroBitCount)
            let key = base | UInt64(branch) << UInt64(5 * level)
            guard
                level == 0 ? body(key, node.values[index]) : walkBack(node.children[index], key, level - 1, body)
            else { return false }
            bits &= ~(1 << branch)
        }
        return true
    }
}
