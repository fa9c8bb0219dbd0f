/// The active L1 table in host order, with a mark for each entry whose L2 table may be written through.
@safe
final class QCOW2L1Table: @unchecked Sendable {
    // @unchecked: changed only with the image's mapping lock held exclusively, read with it held or with `metadata`.
    // SAFETY: both have `count` elements (1 at least) at all times; subscripts are checked.
    private var entries: UnsafeMutablePointer<UInt64>
    private var verified: UnsafeMutablePointer<Bool>
    private(set) var count: Int
    /// Where the table is in the file.
    private(set) var offset: UInt64

    init(_ words: [UInt64], at offset: UInt64) {
        count = words.count
        self.offset = offset
        unsafe entries = .allocate(capacity: max(1, count))
        unsafe entries.initialize(repeating: 0, count: max(1, count))
        for index in 0..<count { unsafe entries[index] = words[index] }
        unsafe verified = .allocate(capacity: max(1, count))
        unsafe verified.initialize(repeating: false, count: max(1, count))
    }

    deinit {
        unsafe entries.deallocate()
        unsafe verified.deallocate()
    }

    @inline(__always)
    subscript(index: Int) -> UInt64 {
        get {
            precondition(index >= 0 && index < count)
            return unsafe entries[index]
        }
        set {
            precondition(index >= 0 && index < count)
            unsafe entries[index] = newValue
        }
    }

    @inline(__always)
    func isVerified(_ index: Int) -> Bool {
        precondition(index >= 0 && index < count)
        return unsafe verified[index]
    }

    func setVerified(_ index: Int) {
        precondition(index >= 0 && index < count)
        unsafe verified[index] = true
    }

    /// No table may be written through before it is verified (again).
    func unverifyAll() { unsafe verified.update(repeating: false, count: max(1, count)) }

    /// Another table, with nothing verified. With the mapping lock held exclusively.
    func replace(_ words: [UInt64], at offset: UInt64) {
        unsafe entries.deallocate()
        unsafe verified.deallocate()
        count = words.count
        self.offset = offset
        unsafe entries = .allocate(capacity: max(1, count))
        unsafe entries.initialize(repeating: 0, count: max(1, count))
        for index in 0..<count { unsafe entries[index] = words[index] }
        unsafe verified = .allocate(capacity: max(1, count))
        unsafe verified.initialize(repeating: false, count: max(1, count))
    }

    /// All entries.
    var words: [UInt64] { (0..<count).map { self[$0] } }
}
