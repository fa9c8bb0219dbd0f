import APITypes
import RPCCodec
import XenAPIClient

/// The records one command has seen, so that following references costs few calls: the first few of a class are fetched
/// one by one, then the whole class at once. A snapshot: nothing is fetched twice.
actor RecordStore {
    private struct ClassRecords {
        var records: [String: WireValue] = [:]
        var missing: Set<String> = []
        var isComplete = false
        var singles = 0
    }

    private let caller: any XenAPICaller
    private var classes: [String: ClassRecords] = [:]
    private static let singlesBeforeAll = 3

    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Every object of the class, in the server's order.
    func all(_ className: String) async throws -> [(ref: String, record: WireValue)] {
        let reply = try await caller.call("\(className).get_all_records", [])
        let all = (reply.members ?? []).map { (ref: $0.name, record: $0.value) }
        var known = ClassRecords()
        known.isComplete = true
        for (ref, record) in all { known.records[ref] = record }
        classes[className] = known
        return all
    }

    /// The object `ref`; nil when there is none (a null or dangling reference, a class the server does not have).
    func record(_ className: String, _ ref: String) async throws -> WireValue? {
        if ref.isEmpty || ref == ValueText.nullRef { return nil }
        let known = classes[className] ?? ClassRecords()
        if let record = known.records[ref] { return record }
        if known.isComplete || known.missing.contains(ref) { return nil }
        do {
            if known.singles >= Self.singlesBeforeAll {
                _ = try await all(className)
                return classes[className]?.records[ref]
            }
            let record = try await caller.call("\(className).get_record", [.string(ref)])
            classes[className, default: ClassRecords()].singles += 1
            classes[className]?.records[ref] = record
            return record
        } catch let error as APIError where error.code == "HANDLE_INVALID" || error.meansNoSuchCall {
            classes[className, default: ClassRecords()].singles += 1
            classes[className]?.missing.insert(ref)
            return nil
        }
    }
}
