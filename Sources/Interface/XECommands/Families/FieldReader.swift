import APITypes
import RPCCodec
import XenAPIClient

/// Computes the printed text of fields, fetching what the record itself does not hold.
struct FieldReader: Sendable {
    let caller: any XenAPICaller
    let store: RecordStore

    init(_ caller: any XenAPICaller) {
        self.caller = caller
        store = RecordStore(caller)
    }

    /// The text of `field` for the object `ref`.
    func text(_ field: Field, of ref: String, _ record: WireValue) async throws -> String {
        guard let value = try await value(field, of: ref, record) else { return ValueText.nowhere }
        return ValueText.of(value, styles: field.styles)
    }

    /// The value of `field` with references replaced by uuids; nil when what it is read from does not exist.
    func value(_ field: Field, of ref: String, _ record: WireValue) async throws -> WireValue? {
        let found: WireValue?
        switch field.source {
        case .member(let name, _):
            found = record.member(name)
        case .follow(let name, let className, let member):
            if let items = record.member(name)?.items {
                var values: [WireValue] = []
                for item in items {
                    let target = try await store.record(className, item.text ?? "")
                    values.append(target?.member(member) ?? .string(ValueText.nowhere))
                }
                return .array(values)
            }
            guard let target = record.member(name)?.text else { return nil }
            found = try await store.record(className, target)?.member(member)
        case .call(let method, let takesSelf, _):
            found = try await answer(method, takesSelf ? [.string(ref)] : [])
        case .computed(let name):
            found = .string(try await computed(name, ref, record))
        }
        guard let found, let className = field.source.references else { return found }
        return try await resolve(found, className)
    }

    /// The answer to a call; nil from a server that does not have it.
    private func answer(_ method: String, _ parameters: [WireValue]) async throws -> WireValue? {
        do {
            return try await caller.call(method, parameters)
        } catch let error as APIError where error.meansNoSuchCall {
            return nil
        }
    }

    /// `value` with references to `className`, alone or in a set or map, replaced by uuids.
    private func resolve(_ value: WireValue, _ className: String) async throws -> WireValue {
        if let members = value.members {
            var resolved: [(name: String, value: WireValue)] = []
            for member in members {
                resolved.append((name: member.name, value: .string(try await uuid(member.value.text ?? "", className))))
            }
            return .members(resolved)
        }
        if let items = value.items {
            var resolved: [WireValue] = []
            for item in items { resolved.append(.string(try await uuid(item.text ?? "", className))) }
            return .array(resolved)
        }
        return .string(try await uuid(value.text ?? "", className))
    }

    private func uuid(_ ref: String, _ className: String) async throws -> String {
        try await store.record(className, ref)?.member("uuid")?.text ?? ValueText.nowhere
    }

    private func computed(_ name: String, _ ref: String, _ record: WireValue) async throws -> String {
        switch name {
        case "host": try await hostOfSR(record)
        case "attachable": try await attachability(ref)
        default: preconditionFailure("no computed field \(name)")
        }
    }

    /// The name of the one host an SR is connected to.
    private func hostOfSR(_ record: WireValue) async throws -> String {
        let connections = record.member("PBDs")?.items ?? []
        if connections.count > 1 { return "<shared>" }
        guard let connection = connections.first?.text,
            let host = try await store.record("PBD", connection)?.member("host")?.text,
            let label = try await store.record("host", host)?.member("name_label")?.text
        else { return ValueText.nowhere }
        return label
    }

    private func attachability(_ ref: String) async throws -> String {
        do {
            _ = try await caller.call("VBD.assert_attachable", [.string(ref)])
            return "true"
        } catch let error as APIError {
            return "false (error: \(error.wire.joined(separator: "; ")))"
        }
    }
}
