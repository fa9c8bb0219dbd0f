import PoolDatabase

extension PoolDatabase {
    /// The toolstack's own records of a kind, by key.
    func privateRecords(kind: String) -> [String: String] { read { $0.privateRecords(kind: kind) } }
}
