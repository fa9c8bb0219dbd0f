import APITypes
import DataModel
import RPCCodec

/// Turns what a client sent into values of the declared types, with the leniency that clients rely on: numbers as
/// text, enums in any case, dates as plain text. What does not fit is INTERNAL_ERROR [text].
struct WireDecoding {
    let model: Datamodel
    /// Nothing of the values is said in errors.
    var isSecret = false

    func decode(_ wire: WireValue, as type: ModelType, name: String) throws(APIError) -> APIValue {
        switch (type, wire) {
        case (.string, .string(let text)): return .string(text)
        case (.int, .int(let number)): return .int(number)
        case (.int, .int32(let number)): return .int(Int64(number))
        case (.int, .string(let text)):
            if let number = Int64(text) { return .int(number) }
        case (.bool, .bool(let flag)): return .bool(flag)
        case (.float, .double(let number)): return .float(number)
        case (.float, .int(let number)): return .float(Double(number))
        case (.float, .int32(let number)): return .float(Double(number))
        case (.float, .string(let text)):
            if let number = Double(text) { return .float(number) }
        case (.datetime, .dateTime(let text)), (.datetime, .string(let text)):
            if let seconds = DateTimeText.parse(text) { return .datetime(seconds) }
        case (.enumeration(let enumName), .string(let text)):
            if let spelling = model.enumNamed(enumName)?.spelling(of: text) { return .string(spelling) }
        case (.ref, .string(let text)): return .ref(text)
        case (.set(let element), .array(let values)):
            var all: [APIValue] = []
            for value in values { all.append(try decode(value, as: element, name: name)) }
            return .set(all)
        case (.map(let keyType, let valueType), .structure(let members)):
            var entries: [String: APIValue] = [:]
            for member in members {
                let key = try key(member.name, as: keyType, name: name)
                entries[key] = try decode(member.value, as: valueType, name: name)
            }
            return .map(entries)
        case (.record(let className), .structure):
            return try record(wire, of: className, name: name)
        case (.option, .null): return .void
        case (.option(let wrapped), _): return try decode(wire, as: wrapped, name: name)
        default: break
        }
        throw .internalError("the value of \(name) is not of type \(type)\(isSecret ? "" : ": \(Self.excerpt(wire))")")
    }

    /// The struct that a generated `create` takes: members that have no default must be there.
    func creation(_ wire: WireValue, of declared: ClassDeclaration) throws(APIError) -> APIValue {
        guard case .structure = wire else {
            throw .internalError("\(declared.name).create takes a struct, not \(Self.excerpt(wire))")
        }
        var members: [APIMember] = []
        for field in declared.creationFields {
            if let given = wire[field.name] {
                let value = try decode(given, as: field.type, name: field.name)
                members.append(APIMember(field.name, value))
            } else if let standard = field.defaultValue {
                members.append(APIMember(field.name, APIValue(standard)))
            } else {
                throw .internalError("the record of \(declared.name).create has no member \(field.name)")
            }
        }
        return .record(members)
    }

    private func record(_ wire: WireValue, of className: String, name: String) throws(APIError) -> APIValue {
        var members: [APIMember] = []
        for field in model.classNamed(className)?.recordFields ?? [] {
            guard let given = wire[field.name] else { continue }
            members.append(APIMember(field.name, try decode(given, as: field.type, name: "\(name).\(field.name)")))
        }
        return .record(members)
    }

    private func key(_ text: String, as type: ModelType, name: String) throws(APIError) -> String {
        switch type {
        case .int:
            if let number = Int64(text) { return String(number) }
        case .enumeration(let enumName):
            if let spelling = model.enumNamed(enumName)?.spelling(of: text) { return spelling }
        default: return text
        }
        throw .internalError("a key of \(name) is not of type \(type): \(text.prefix(200))")
    }

    private static func excerpt(_ wire: WireValue) -> String { String(XMLRPC.encodeValue(wire).prefix(200)) }
}
