import APITypes
import RPCCodec

/// Machines and what belongs to them, taken out of a database: rows with references among themselves, for another
/// database. As text it is the struct of XML-RPC that XenAPI's `ova.xml` is.
struct MachineDocument: Sendable {
    /// Where it was written, and in which form.
    struct Version: Hashable, Sendable {
        var hostname = ""
        /// `20261129T20:00:00Z`.
        var date = ""
        var productVersion = ""
        var productBrand = ""
        var buildNumber = ""
        /// The oldest toolstack that can read it, and the newest form that is known here.
        var major: Int64 = 1
        var minor: Int64 = 20
        var form: Int64 = 2

        static let newestMajor: Int64 = 26
        static let newestForm: Int64 = 2
    }

    struct Object: Sendable {
        let className: String
        /// What others in the document call it.
        let id: String
        /// Its record, as it travels.
        let fields: WireValue
    }

    var version: Version
    var objects: [Object]

    /// The most objects that are taken, and the most of them that are networks: each may become one of the pool's.
    static let mostObjects = 200_000
    static let mostNetworks = 4096

    init(version: Version, objects: [Object]) {
        self.version = version
        self.objects = objects
    }

    func encode() -> [UInt8] {
        let version = WireValue.structure([
            WireMember("hostname", .string(version.hostname)), WireMember("date", .string(version.date)),
            WireMember("product_version", .string(version.productVersion)),
            WireMember("product_brand", .string(version.productBrand)),
            WireMember("build_number", .string(version.buildNumber)),
            WireMember("xapi_major", .int(version.major)), WireMember("xapi_minor", .int(version.minor)),
            WireMember("export_vsn", .int(version.form)),
        ])
        let objects = objects.map { object in
            WireValue.structure([
                WireMember("class", .string(object.className)), WireMember("id", .string(object.id)),
                WireMember("snapshot", object.fields),
            ])
        }
        let document = WireValue.structure([WireMember("version", version), WireMember("objects", .array(objects))])
        return Array(XMLRPC.encodeValue(document).utf8)
    }

    /// Anybody may have written it. IMPORT_ERROR [text], IMPORT_INCOMPATIBLE_VERSION.
    init(_ text: [UInt8]) throws(APIError) {
        guard text.count <= MachineArchive.longest else { throw MachineArchive.tooLong }
        let document: WireValue
        do throws(RPCError) {
            document = try XMLRPC.decodeValue(String(decoding: text, as: UTF8.self))
        } catch {
            throw Self.unusable("\(MachineArchive.fileName) cannot be read: \(error)")
        }
        guard let version = document["version"], case .array(let entries)? = document["objects"] else {
            throw Self.unusable("\(MachineArchive.fileName) has no version or no objects")
        }
        self.version = try Self.version(version)
        guard entries.count <= Self.mostObjects else {
            throw Self.unusable("it has \(entries.count) objects, and at most \(Self.mostObjects) are taken")
        }
        objects = []
        objects.reserveCapacity(entries.count)
        var seen: Set<String> = []
        for entry in entries {
            guard case .string(let className)? = entry["class"], case .string(let id)? = entry["id"], !id.isEmpty,
                let fields = entry["snapshot"], case .structure = fields
            else { throw Self.unusable("an object has no class, id or snapshot") }
            guard seen.insert(id).inserted else {
                throw Self.unusable("two objects have the id \(id.prefix(64))")
            }
            objects.append(Object(className: className, id: id, fields: fields))
        }
        let networks = objects.count { $0.className == "network" }
        guard networks <= Self.mostNetworks else {
            throw Self.unusable("it has \(networks) networks, and at most \(Self.mostNetworks) are taken")
        }
    }

    static func unusable(_ reason: String) -> APIError { APIError("IMPORT_ERROR", reason) }

    private static func version(_ wire: WireValue) throws(APIError) -> Version {
        func number(_ name: String, else missing: Int64?) throws(APIError) -> Int64 {
            let value: Int64? =
                switch wire[name] {
                case .int(let number)?: number
                case .int32(let number)?: Int64(number)
                case .string(let text)?: Int64(text)
                case nil: missing
                default: nil
                }
            guard let value else { throw unusable("its version has no number \(name)") }
            return value
        }
        func text(_ name: String) -> String { if case .string(let text)? = wire[name] { text } else { "" } }
        let version = Version(
            hostname: text("hostname"), date: text("date"), productVersion: text("product_version"),
            productBrand: text("product_brand"), buildNumber: text("build_number"),
            major: try number("xapi_major", else: nil), minor: try number("xapi_minor", else: nil),
            form: try number("export_vsn", else: 0))
        guard version.major <= Version.newestMajor, version.form <= Version.newestForm else {
            throw APIError("IMPORT_INCOMPATIBLE_VERSION")
        }
        return version
    }
}
