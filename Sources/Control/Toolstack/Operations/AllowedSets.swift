import APITypes
import PoolDatabase

/// What the rules allow for rows, as values of `allowed_operations`. Equal sets are one value: thousands of disks have
/// the same.
struct AllowedSets {
    private var facts: OperationFacts
    private var disks: [[VDIOperations]: APIValue] = [:]
    private var devices: [[VBDOperations]: APIValue] = [:]

    init(_ reader: any DatabaseReader) { facts = OperationFacts(reader) }

    static var pool: APIValue { PoolOperationRules.allowed().apiValue }

    mutating func vdi(_ row: Row) -> APIValue { Self.shared(VDIOperationRules.allowed(facts.vdi(row)), &disks) }

    mutating func vbd(_ row: Row) -> APIValue { Self.shared(VBDOperationRules.allowed(facts.vbd(row)), &devices) }

    func sr(_ row: Row) -> APIValue { SROperationRules.allowed(facts.sr(row)).apiValue }

    func vm(_ row: Row) -> APIValue { VMOperationRules.allowed(facts.vm(row)).apiValue }

    func host(_ row: Row) -> APIValue { HostOperationRules.allowed(facts.host(row)).apiValue }

    private static func shared<Operation: Hashable & APIConvertible>(
        _ allowed: [Operation], _ known: inout [[Operation]: APIValue]
    ) -> APIValue {
        if let value = known[allowed] { return value }
        let value = allowed.apiValue
        known[allowed] = value
        return value
    }
}
