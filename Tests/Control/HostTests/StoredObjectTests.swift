import APITypes
import Foundation
import Logging
import PoolDatabase
public import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// Messages, networks, secrets and blobs through the dispatcher, without storage or guests.
@Suite struct StoredObjectTests {
    private struct Host {
        let folder: ScratchFolder
        let database: PoolDatabase
        let dispatcher: Dispatcher
        let blobs: BlobStore
        let session: String

        init(bridges: Set<String> = []) async throws {
            folder = try ScratchFolder("objects")
            database = try await PoolDatabase.open(path: nil)
            let identity = try await HostBootstrap.run(database: database, stateDirectory: folder.path)
            blobs = try BlobStore(
                database: database, folder: folder.file("blobs"), logger: Logger(label: "test"))
            var table = MessageTable()
            HostMessages(database: database, host: identity.host).register(in: &table)
            NetworkMessages(
                database: database, host: identity.host,
                scan: { InterfaceScan(interfaces: [], bridges: bridges, nameServers: "") }
            ).register(in: &table)
            AlertMessages(database: database).register(in: &table)
            SecretMessages(database: database).register(in: &table)
            BlobMessages(database: database, store: blobs).register(in: &table)
            dispatcher = Dispatcher(database: database, host: identity.host, messages: table)
            session = try await dispatcher.sessions.login(
                user: "root", password: "", originator: "", client: ClientInfo(isLocalSocket: true)
            ).opaque
        }

        func call(_ method: String, _ params: WireValue...) async -> Result<APIValue, APIError> {
            await dispatcher.call(method: method, params: [.string(session)] + params)
        }

        func ref(_ method: String, _ params: WireValue...) async throws -> String {
            guard
                case .ref(let ref) = try await dispatcher.call(method: method, params: [.string(session)] + params)
                    .get()
            else { throw APIError.internalError("no reference") }
            return ref
        }

        func create(_ fields: [(String, WireValue)]) async -> Result<APIValue, APIError> {
            await call("network.create", .structure(fields.map { WireMember($0.0, $0.1) }))
        }
    }

    /// Headers of images may claim any size; the sum of what they claim stays a number.
    @Test func theSumOfClaimedSizesSaturates() {
        #expect(StorageContext.sum([]) == 0)
        #expect(StorageContext.sum([1, -5, 2]) == 3)
        #expect(StorageContext.sum([.max, 1, .max]) == .max)
    }

    @Test func messagesAreKeptShownAndBounded() async throws {
        let host = try await Host()
        let uuid = host.database.read { $0.rows(Pool.self)[0].uuid }
        let first = try await host.ref(
            "message.create", .string("ALARM"), .string("3"), .string("pool"), .string(uuid), .string("body"))
        #expect(
            await host.call(
                "message.create", .string("X"), .string("3"), .string("VM"), .string(uuid), .string(""))
                == .failure(APIError("UUID_INVALID", "VM", uuid)))
        let long = String(repeating: "x", count: Alerts.longestBody + 1)
        guard
            case .failure(let refused) = await host.call(
                "message.create", .string("X"), .string("3"), .string("Pool"), .string(uuid), .string(long))
        else { throw APIError.internalError("a body without end was taken") }
        #expect(refused.code == "INVALID_VALUE")
        let record = try await host.call("message.get_record", .string(first)).get()
        #expect(record["name"] == .string("ALARM") && record["priority"] == .int(3))
        #expect(record["cls"] == .string("Pool") && record["obj_uuid"] == .string(uuid))
        let events = try await host.call(
            "event.from", .array([.string("message")]), .string(""), .double(0)
        ).get()
        guard case .set(let all)? = events["events"] else { throw APIError.internalError("no events") }
        #expect(all.map { $0["ref"] } == [.string(first)] && all[0]["class"] == .string("message"))
        #expect(all[0]["snapshot"] == record)
        for query in ["field \"name\" = \"ALARM\"", "field \"cls\" = \"Pool\" and field \"priority\" = \"3\""] {
            guard case .map(let found) = try await host.call("message.get_all_records_where", .string(query)).get()
            else {
                throw APIError.internalError("no map")
            }
            #expect(Array(found.keys) == [first])
        }
        for (since, count) in [("20000101T00:00:00Z", 1), ("20990101T00:00:00Z", 0)] {
            for answer in [
                await host.call("message.get_since", .dateTime(since)),
                await host.call("message.get", .string("Pool"), .string(uuid), .dateTime(since)),
            ] {
                guard case .map(let found) = try answer.get() else { throw APIError.internalError("no map") }
                #expect(found.count == count)
            }
        }
        // The oldest go.
        for number in 0..<20 {
            try await host.database.transaction { tx in
                Alerts.post(.init(name: "N\(number)", priority: 5), about: .pool, uuid: uuid, body: "", in: tx)
            }
        }
        try await host.database.transaction { tx in Alerts.trim(tx, to: 10) }
        let names = host.database.read { $0.rows(XenMessage.self).map { $0[XenMessage.name] } }
        #expect(Set(names) == Set((10..<20).map { "N\($0)" }))
        #expect(await host.call("message.destroy", .string(first)) == .failure(.handleInvalid("message", first)))
        #expect(
            await host.call("message.destroy_all", .structure([WireMember("priority", .string("9"))]))
                == .success(.void))
        #expect(host.database.read { $0.count(className: "message") } == 10)
        #expect(await host.call("message.destroy_all", .structure([])) == .success(.void))
        #expect(host.database.read { $0.count(className: "message") } == 0)
    }

    @Test func networksAreMadeWithinTheirLimits() async throws {
        let host = try await Host(bridges: ["br0"])
        let first = try await host.create([("name_label", "a"), ("other_config", .structure([]))]).get()
        guard case .ref(let network) = first else { throw APIError.internalError("no reference") }
        #expect(host.database.read { $0.row(Ref<Network>(network))?[Network.bridge] } == "xapi0")
        let cases: [([(String, WireValue)], APIError)] = [
            ([("bridge", "br0")], APIError("BRIDGE_NAME_EXISTS", "br0")),
            ([("bridge", "xapi0")], APIError("BRIDGE_NAME_EXISTS", "xapi0")),
            ([("bridge", "none"), ("managed", .bool(false))], APIError("BRIDGE_NOT_AVAILABLE", "none")),
            ([("bridge", "a-name-of-16-byte")], APIError("INVALID_VALUE", "bridge", "a-name-of-16-byte")),
            ([("bridge", "../x")], APIError("INVALID_VALUE", "bridge", "../x")),
            ([("MTU", "10")], APIError("INVALID_VALUE", "MTU", "10")),
        ]
        for (fields, error) in cases {
            let answer = await host.create([("name_label", "b"), ("other_config", .structure([]))] + fields)
            #expect(answer == .failure(error))
        }
        let foreign = await host.create([
            ("name_label", "b"), ("other_config", .structure([])), ("bridge", "br0"), ("managed", .bool(false)),
        ])
        #expect((try? foreign.get()) != nil)
        #expect(await host.call("network.add_purpose", .string(network), "nbd") == .success(.void))
        #expect(
            await host.call("network.add_purpose", .string(network), "insecure_nbd")
                == .failure(APIError("NETWORK_INCOMPATIBLE_PURPOSES", "insecure_nbd", "nbd")))
        #expect(await host.call("network.destroy", .string(network)) == .success(.void))
        let owned = Ref<Network>.new()
        let pif = Ref<PIF>.new()
        try await host.database.transaction { tx in
            tx.insert(Network.self, ref: owned) { _ in }
            tx.insert(PIF.self, ref: pif) { $0[PIF.network] = owned }
        }
        #expect(
            await host.call("network.destroy", .string(owned.opaque))
                == .failure(APIError("NETWORK_CONTAINS_PIF", pif.opaque)))
    }

    @Test func secretsAreInNoEvent() async throws {
        let host = try await Host()
        let secret = try await host.ref("secret.create", .structure([WireMember("value", "hush")]))
        #expect(await host.call("secret.get_value", .string(secret)) == .success(.string("hush")))
        let events = try await host.call("event.from", .array(["*"]), "", .double(0)).get()
        #expect(!String(describing: events).contains("hush") && !String(describing: events).contains(secret))
        #expect(await host.call("secret.introduce", "u-1", "other") != .success(.void))
        #expect(await host.call("secret.destroy", .string(secret)) == .success(.void))
        #expect(await host.call("secret.get_value", .string(secret)) == .failure(.handleInvalid("secret", secret)))
    }

    @Test func aBlobGoesWithItsOwner() async throws {
        let host = try await Host()
        let network = try await host.ref(
            "network.create",
            .structure([WireMember("name_label", "a"), WireMember("other_config", .structure([]))]))
        let blob = try await host.ref(
            "network.create_new_blob", .string(network), "picture", "image/png", .bool(true))
        #expect(
            await host.call("network.create_new_blob", .string(network), "picture", "image/png")
                == .failure(APIError("MAP_DUPLICATE_KEY", "network", "blobs", network, "picture")))
        #expect(
            await host.call("blob.create", "text/html\r\nX: y")
                == .failure(APIError("INVALID_VALUE", "mime_type", "text/html\r\nX: y")))
        let alone = try await host.ref("blob.create", "text/plain")
        for (ref, text) in [(blob, "a picture"), (alone, "a text")] {
            let found = try host.blobs.find(ref: ref, uuid: nil)
            let upload = try host.blobs.begin(found)
            try upload.write(Array(text.utf8))
            #expect(!FileManager.default.fileExists(atPath: host.blobs.path(found)), "not before it is complete")
            try await host.blobs.finish(upload, for: found)
            #expect(try String(contentsOfFile: host.blobs.path(found), encoding: .utf8) == text)
        }
        #expect(await host.call("blob.get_size", .string(blob)) == .success(.int(9)))
        // One that is given up leaves nothing.
        do { _ = try host.blobs.begin(host.blobs.find(ref: alone, uuid: nil)) }
        let files = { try FileManager.default.contentsOfDirectory(atPath: host.folder.file("blobs")).count }
        #expect(try files() == 2)
        #expect(await host.call("network.destroy", .string(network)) == .success(.void))
        await host.blobs.sweep()
        #expect(host.database.read { $0.rows(Blob.self).map(\.ref) } == [alone])
        #expect(try files() == 1)
        #expect(await host.call("blob.destroy", .string(alone)) == .success(.void))
        #expect(try files() == 0)
        let upload = try BlobUpload(folder: host.folder.path, target: host.folder.file("x"))
        #expect(throws: APIError.self) { try upload.write([UInt8](repeating: 0, count: BlobStore.largest + 1)) }
    }
}

extension WireValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}
