import APITypes
import CoreTypes
import DataModel
import PoolDatabase
import RPCCodec

/// The messages of class `message`.
struct AlertMessages: Sendable {
    let database: PoolDatabase
    /// Messages that `destroy_many` takes at once.
    private static let piece = 1000

    func register(in table: inout MessageTable) {
        registerChanges(in: &table)
        registerReaders(in: &table)
    }

    private func registerChanges(in table: inout MessageTable) {
        table.on("message.create") { _, arguments in
            let (name, priority): (String, Int64) = (try arguments.get(0), try arguments.get(1))
            let (target, uuid): (MessageTargetClass, String) = (try arguments.get(2), try arguments.get(3))
            let body: String = try arguments.get(4)
            guard name.utf8.count <= Alerts.longestName else {
                throw APIError("INVALID_VALUE", "name", "more than \(Alerts.longestName) bytes")
            }
            guard body.utf8.count <= Alerts.longestBody else {
                throw APIError("INVALID_VALUE", "body", "more than \(Alerts.longestBody) bytes")
            }
            return try await database.transaction { tx in
                guard tx.row(className: Alerts.className(of: target), uuid: uuid) != nil else {
                    throw APIError.uuidInvalid(target.rawValue, uuid)
                }
                let kind = Alerts.Kind(name: name, priority: priority)
                return Alerts.post(kind, about: target, uuid: uuid, body: body, in: tx).apiValue
            }
        }
        table.on("message.destroy") { _, arguments in
            let ref: Ref<XenMessage> = try arguments.get(0)
            try await database.transaction { tx in
                _ = try tx.require(ref)
                tx.delete(ref)
            }
            return .void
        }
        table.on("message.destroy_many", cancellable: true) { call, arguments in
            let refs: [Ref<XenMessage>] = try arguments.get(0)
            try await destroy(refs, call)
            return .void
        }
        table.on("message.destroy_all", cancellable: true) { call, arguments in
            let filter = try Filter(try arguments.get(0))
            let refs = database.read { reader in
                reader.rows(XenMessage.self, where: filter.matches).map { $0.typedRef(XenMessage.self) }
            }
            try await destroy(refs, call)
            return .void
        }
    }

    /// In pieces, so that nobody else waits long. Those that are gone already are no failure.
    private func destroy(_ refs: [Ref<XenMessage>], _ call: CallContext) async throws {
        var done = 0
        while done < refs.count {
            if call.progress.cancellation.isCancelled { throw CancellationError() }
            let piece = refs[done..<min(done + Self.piece, refs.count)]
            try await database.transaction { tx in for ref in piece { tx.delete(ref) } }
            done += piece.count
            call.progress.report(Double(done) / Double(refs.count))
        }
    }

    private func registerReaders(in table: inout MessageTable) {
        table.on("message.get") { _, arguments in
            let (target, uuid): (MessageTargetClass, String) = (try arguments.get(0), try arguments.get(1))
            let since: APIDate = try arguments.get(2)
            return records {
                $0[XenMessage.cls] == target && $0[XenMessage.objUUID] == uuid
                    && $0[XenMessage.timestamp].seconds >= since.seconds
            }
        }
        table.on("message.get_since") { _, arguments in
            let since: APIDate = try arguments.get(0)
            return records { $0[XenMessage.timestamp].seconds >= since.seconds }
        }
        // What the datamodel implies for other classes is written out for this one.
        let implied = ImpliedMessages(database: database)
        let readers: [(String, MessageHandler?)] = [
            ("get_all", implied.handler(for: .getAll, of: XenMessage.className)),
            ("get_record", implied.handler(for: .getRecord, of: XenMessage.className)),
            ("get_by_uuid", implied.handler(for: .getByUUID, of: XenMessage.className)),
            ("get_all_records", implied.handler(for: .getAllRecords, of: XenMessage.className)),
            ("get_all_records_where", implied.handler(for: .getAllRecordsWhere, of: XenMessage.className)),
        ]
        for case (let name, let handler?) in readers { table.on("message.\(name)", handler) }
    }

    private func records(_ matches: (Row) -> Bool) -> APIValue {
        let rows = database.read { $0.rows(XenMessage.self, where: matches) }
        return .map(Dictionary(rows.map { ($0.ref, $0.record) }) { first, _ in first })
    }

    /// What `destroy_all` is given: `before`, `after` (dates), `priority`. All must hold.
    private struct Filter: Sendable {
        var before: Int64?
        var after: Int64?
        var priority: Int64?

        init(_ entries: [String: String]) throws(APIError) {
            for (key, value) in entries {
                switch key {
                case "before": before = try Self.date(key, value)
                case "after": after = try Self.date(key, value)
                case "priority":
                    guard let number = Int64(value) else { throw APIError("INVALID_VALUE", key, value) }
                    priority = number
                default: throw APIError("INVALID_VALUE", "filters", key)
                }
            }
        }

        private static func date(_ key: String, _ value: String) throws(APIError) -> Int64 {
            guard let seconds = DateTimeText.parse(value) else { throw APIError("INVALID_VALUE", key, value) }
            return seconds
        }

        func matches(_ row: Row) -> Bool {
            let time = row[XenMessage.timestamp].seconds
            return time < before ?? .max && time > after ?? .min
                && (priority == nil || row[XenMessage.priority] == priority)
        }
    }
}
