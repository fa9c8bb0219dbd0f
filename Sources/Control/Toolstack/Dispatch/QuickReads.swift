public import APITypes
import DataModel
public import PoolDatabase
import RPCCodec

/// What a call came to.
public enum CallAnswer: Sendable {
    case value(APIValue)
    /// A map of records by reference, as the rows it is made of: there may be 100,000.
    case records(RowList)
    /// The answer of `event.from` that tells of many objects.
    case events(EventBatch)
}

/// The reads that need nothing but a look at the committed tables: `get_record`, `get_<field>`, `get_by_uuid`, and
/// `get_all_records`. They are most of what clients ask, so they are found by one look-up and wait for nothing.
///
/// Only the local superuser's sessions are served here: nothing is forbidden to them, so there is no right to look at. For
/// `list` somebody else has looked.
struct QuickReads: Sendable {
    private enum Read: Sendable {
        case record
        case field(String)
        case uuid
        case allRecords
        case allRecordsWhere
    }

    private let database: PoolDatabase
    private let reads: [String: (className: String, read: Read)]

    /// Messages that `handlers` implements are left to it; those that were removed, to the dispatcher's refusal.
    init(database: PoolDatabase, model: Datamodel, handlers: [String: MessageHandler]) {
        self.database = database
        var reads: [String: (className: String, read: Read)] = [:]
        for message in model.messages
        where message.needsSession && message.state != .removed && handlers[message.wireName] == nil {
            let read: Read
            switch message.origin {
            case .getRecord: read = .record
            case .getField(let field): read = .field(field.name)
            case .getByUUID: read = .uuid
            case .getAllRecords: read = .allRecords
            case .getAllRecordsWhere: read = .allRecordsWhere
            default: continue
            }
            reads[message.wireName] = (message.className, read)
            reads["\(message.className)_\(message.name)"] = (message.className, read)
        }
        self.reads = reads
    }

    /// One object or one field. Nil for everything else: other messages, other arguments than a session and one text,
    /// and sessions that are not in force, are to be refreshed, or have a role to look at.
    func answer(_ method: String, _ params: [WireValue]) -> Result<APIValue, APIError>? {
        guard params.count == 2, case .string(let session) = params[0], case .string(let text) = params[1],
            let (className, read) = reads[method]
        else { return nil }
        return database.read { tables in
            guard Self.isSuperuser(session, in: tables) else { return nil }
            switch read {
            case .allRecords, .allRecordsWhere: return nil
            case .uuid:
                guard let row = tables.row(className: className, uuid: text) else {
                    return .failure(.uuidInvalid(className, text))
                }
                return .success(.ref(row.ref))
            case .record, .field:
                guard let row = tables.row(className: className, ref: text) else {
                    return .failure(.handleInvalid(className, text))
                }
                guard case .field(let name) = read else { return .success(row.record) }
                return .success(row[field: name])
            }
        }
    }

    /// The rows behind a map of records; nil as above. Others get their turn while a filter looks at many.
    func rows(_ method: String, _ params: [WireValue]) async -> Result<RowList, APIError>? {
        guard case .string(let session)? = params.first, isList(method),
            database.read({ Self.isSuperuser(session, in: $0) })
        else { return nil }
        return await list(method, params)
    }

    /// Whether the answer is a map of records.
    func isList(_ method: String) -> Bool {
        switch reads[method]?.read {
        case .allRecords, .allRecordsWhere: true
        default: false
        }
    }

    /// The same without a look at the session, whose right the caller has checked. Nil for other arguments than those of the message.
    func list(_ method: String, _ params: [WireValue]) async -> Result<RowList, APIError>? {
        guard let (className, read) = reads[method], let schema = database.schema[className] else { return nil }
        switch read {
        case .allRecords where params.count == 1:
            return .success(database.read { $0.list(className: className) } ?? RowList(schema: schema, []))
        case .allRecordsWhere where params.count == 2:
            guard case .string(let text) = params[1] else { return nil }
            do {
                return .success(try await Query(text, schema: schema).rows(in: database))
            } catch {
                return .failure(APIError(error, task: .null))
            }
        default: return nil
        }
    }

    private static func isSuperuser(_ session: String, in tables: any DatabaseReader) -> Bool {
        guard let row = tables.row(Ref<Session>(session)) else { return false }
        return row[Session.isLocalSuperuser] && Sessions.isFresh(row)
    }
}
