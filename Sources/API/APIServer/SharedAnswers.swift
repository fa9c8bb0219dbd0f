import APITypes
import Synchronization

/// The bytes of the answers to `event.from` that were written last. A change that a thousand clients wait for is one value
/// for all of them: it is encoded for the first, once in each form.
final class SharedAnswers: Sendable {
    private struct Entry: Sendable {
        let value: APIValue
        let form: AnswerForm
        let bytes: [UInt8]
    }

    private let entries = Mutex<[Entry]>([])
    /// How many are kept: clients write their calls in few ways.
    private static let most = 8
    /// Larger answers are those to clients that begin; nobody else gets the same.
    private static let longest = 64 << 10

    /// Whether answers to this message may be the same value for many.
    static func areShared(of method: String) -> Bool { method == "event.from" || method == "event_from" }

    func encode(_ value: APIValue, as form: AnswerForm) -> [UInt8] {
        let known = entries.withLock { entries in entries.first { $0.form == form && $0.value.isTheSame(as: value) } }
        if let known { return known.bytes }
        let bytes = form.encode(value)
        guard bytes.count <= Self.longest else { return bytes }
        entries.withLock { entries in
            if entries.count == Self.most { entries.removeFirst() }
            entries.append(Entry(value: value, form: form, bytes: bytes))
        }
        return bytes
    }
}

extension APIValue {
    /// Whether both are one record, by the place of its members: quick, and false for what merely looks alike. While both
    /// are held no other record can lie there.
    fileprivate func isTheSame(as other: APIValue) -> Bool {
        guard case .record(let own) = self, case .record(let others) = other, own.count == others.count, !own.isEmpty
        else { return false }
        // SAFETY: the addresses are compared, and nothing is read through them.
        return unsafe own.withUnsafeBufferPointer { own in
            unsafe others.withUnsafeBufferPointer { others in unsafe own.baseAddress == others.baseAddress }
        }
    }
}
