import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

/// Random filters, beside a walk over all rows.
@Suite struct QueryTests {
    private struct Filter {
        let text: String
        let holds: @Sendable (Row) -> Bool
    }

    @Test func filtersFindWhatAWalkOverAllRowsFinds() async throws {
        var random = SeededRandom.printed()
        let host = try await TestHost()
        let session = try await host.login()
        let repositories = (0..<3).map { Ref<SR>("OpaqueRef:sr\($0)") }
        try await host.database.transaction { transaction in
            for ref in repositories { transaction.insert(SR.self, ref: ref) { _ in } }
            for number in 0..<120 {
                transaction.insert(VDI.self, ref: Ref("OpaqueRef:\(number)")) { row in
                    row[VDI.uuid] = "uuid \(number)"
                    row[VDI.nameLabel] = "disk \(number % 7)"
                    row[VDI.virtualSize] = Int64(number % 5)
                    row[VDI.sharable] = number % 2 == 0
                    if number % 10 > 0 { row[VDI.sr] = repositories[number % 3] }
                }
            }
        }
        let rows = host.database.read { $0.rows(VDI.self) }
        for _ in 0..<200 {
            let filter = Self.filter(depth: 3, &random)
            let expected = rows.filter(filter.holds).map(\.ref)
            let refs = await host.call("VDI.get_all_where", [.string(filter.text)], session: session)
            #expect(refs == .success(.set(expected.map(APIValue.ref))), "\(filter.text)")
            let answer = await host.dispatcher.answer(
                method: "VDI.get_all_records_where", params: [.string(session), .string(filter.text)],
                client: ClientInfo())
            guard case .success(.records(let list)) = answer else {
                Issue.record("\(filter.text): \(answer)")
                continue
            }
            #expect(list.map(\.ref) == expected, "\(filter.text)")
        }
    }

    @Test func textsThatAreTooLongAreRefused() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let long = #"field "name__label" = ""# + String(repeating: "x", count: 256 << 10) + "\""
        guard case .failure(let error) = await host.call("VDI.get_all_where", [.string(long)], session: session) else {
            Issue.record("it was read")
            return
        }
        #expect(error.code == "INVALID_VALUE" && error.parameters.first == long)
    }

    private static func filter(depth: Int, _ random: inout SeededRandom) -> Filter {
        let number = Int.random(in: 0..<130, using: &random)
        switch Int.random(in: 0..<(depth == 0 ? 7 : 10), using: &random) {
        case 0: return equal("uuid", "uuid \(number)", &random) { $0.uuid }
        case 1: return equal("name__label", "disk \(number % 8)", &random) { $0.nameLabel }
        case 2:
            let ref = ["OpaqueRef:sr\(number % 4)", "OpaqueRef:NULL", ""][number % 3]
            return equal("SR", ref, &random) { $0[VDI.sr].opaque }
        case 3: return equal("_ref", "OpaqueRef:\(number)", &random) { $0.ref }
        case 4:
            let flag = ["true", "false", "1"][number % 3]
            return equal("sharable", flag, &random) { $0[VDI.sharable] ? "true" : "false" }
        case 5:
            let size = ["\(number % 6)", "0\(number % 6)"][number % 2]
            return equal("virtual_size", size, &random) { String($0[VDI.virtualSize]) }
        case 6:
            let flag = number % 2 == 0
            return Filter(text: flag ? "true" : "false") { _ in flag }
        case 7:
            let inner = filter(depth: depth - 1, &random)
            return Filter(text: "not (\(inner.text))") { !inner.holds($0) }
        case 8:
            let inner = filter(depth: depth - 1, &random)
            return Filter(text: "(\(inner.text))", holds: inner.holds)
        default:
            // Without parentheses: from left to right.
            var all = filter(depth: 0, &random)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let (left, right) = (all, filter(depth: 0, &random))
                all =
                    random.next() % 2 == 0
                    ? Filter(text: "\(left.text) and \(right.text)") { left.holds($0) && right.holds($0) }
                    : Filter(text: "\(left.text) or \(right.text)") { left.holds($0) || right.holds($0) }
            }
            return Filter(text: "(\(all.text))", holds: all.holds)
        }
    }

    private static func equal(
        _ field: String, _ text: String, _ random: inout SeededRandom, _ value: @escaping @Sendable (Row) -> String
    ) -> Filter {
        let (left, right) = ("field \"\(field)\"", "\"\(text)\"")
        return Filter(text: random.next() % 2 == 0 ? "\(left) = \(right)" : "\(right)=\(left)") { value($0) == text }
    }
}
