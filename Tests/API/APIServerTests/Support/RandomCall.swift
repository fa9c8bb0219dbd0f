import DataModel
import RPCCodec
import TestSupport

/// A call made up from the datamodel: mostly right, sometimes wrong in number, type, name or session.
struct RandomCall {
    let method: String
    let params: [WireValue]
    /// The message meant; nil for a name that is none.
    let message: MessageDeclaration?
    /// All arguments are of the declared types, and none is missing.
    let isWellTyped: Bool
}

struct RandomCalls {
    private var random: SeededRandom
    private let messages: [MessageDeclaration]
    private let model = Datamodel.all
    /// References and uuids that name something, by class.
    var references: [String: [String]] = [:]
    var uuids: [String] = []

    init(_ random: SeededRandom, excluding isExcluded: (MessageDeclaration) -> Bool) {
        self.random = random
        messages = model.messages.filter { !isExcluded($0) }.sorted { $0.wireName < $1.wireName }
    }

    mutating func next(session: String) -> RandomCall {
        guard let message = messages.randomElement(using: &random) else {
            return RandomCall(method: "", params: [], message: nil, isWellTyped: false)
        }
        if chance(0.01) {
            let odd = [
                message.wireName.lowercased() + "_", "Async.\(message.wireName)x", "", ".", text(), "system.nothing",
            ]
            return RandomCall(
                method: odd.randomElement(using: &random) ?? "", params: [.string(session)], message: nil,
                isWellTyped: false)
        }
        var isWellTyped = true
        var params: [WireValue] = []
        for parameter in message.parameters {
            if parameter.defaultValue != nil && chance(0.5) { break }
            if chance(0.08) {
                params.append(anything(depth: 0))
                isWellTyped = false
            } else if message.origin == .create, case .record(let name) = parameter.type {
                params.append(creation(name))
            } else {
                params.append(value(of: parameter.type, depth: 0))
            }
        }
        if message.needsSession { params.insert(.string(chance(0.02) ? text() : session), at: 0) }
        if chance(0.03) {
            if chance(0.5), !params.isEmpty { params.removeLast() } else { params.append(anything(depth: 0)) }
            isWellTyped = false
        }
        let form = ["", "", "", "", "", "Async.", "InternalAsync."].randomElement(using: &random) ?? ""
        let name = form.isEmpty && chance(0.1) ? "\(message.className)_\(message.name)" : form + message.wireName
        return RandomCall(method: name, params: params, message: message, isWellTyped: isWellTyped)
    }

    private mutating func chance(_ part: Double) -> Bool { Double.random(in: 0..<1, using: &random) < part }

    private mutating func value(of type: ModelType, depth: Int) -> WireValue {
        switch type {
        case .string: return .string(chance(0.2) ? uuids.randomElement(using: &random) ?? text() : text())
        case .int:
            let numbers: [Int64] = [0, 1, -1, 7, 1 << 20, 1 << 40, .max, .min]
            let number = numbers.randomElement(using: &random) ?? 0
            return chance(0.5) ? .int(number) : .string(String(number))
        case .bool: return .bool(chance(0.5))
        case .float: return .double([0, 0.001, -1, 1e300, .infinity, .nan].randomElement(using: &random) ?? 0)
        case .datetime:
            let dates = ["19700101T00:00:00Z", "20261128T12:00:00Z", "2026-11-28T12:00:00Z", "99991231T23:59:59Z"]
            return .dateTime(dates.randomElement(using: &random) ?? "")
        case .enumeration(let name):
            let word = model.enumNamed(name)?.values.randomElement(using: &random) ?? ""
            return .string(chance(0.3) ? word.uppercased() : word)
        case .ref(let name):
            let made = ["OpaqueRef:NULL", "OpaqueRef:none", "", text()].randomElement(using: &random) ?? ""
            return .string(chance(0.7) ? references[name]?.randomElement(using: &random) ?? made : made)
        case .set(let element):
            return .array((0..<count(depth)).map { _ in value(of: element, depth: depth + 1) })
        case .map(let key, let element):
            return .structure(
                (0..<count(depth)).map { _ in WireMember(self.key(key), value(of: element, depth: depth + 1)) })
        case .record(let name): return creation(name)
        case .option(let wrapped): return chance(0.3) ? .null : value(of: wrapped, depth: depth)
        case .void: return .void
        }
    }

    private mutating func key(_ type: ModelType) -> String {
        switch value(of: type, depth: 3) {
        case .string(let text): text
        case .int(let number): String(number)
        default: "k"
        }
    }

    private mutating func creation(_ className: String) -> WireValue {
        var members: [WireMember] = []
        for field in model.classNamed(className)?.creationFields ?? [] where field.defaultValue == nil || chance(0.3) {
            members.append(WireMember(field.name, value(of: field.type, depth: 1)))
        }
        if chance(0.2) { members.append(WireMember("no_such_field", .string("x"))) }
        return .structure(members)
    }

    private mutating func count(_ depth: Int) -> Int { Int.random(in: 0...max(0, 3 - depth), using: &random) }

    private mutating func text() -> String {
        let texts = [
            "", "a", "name", "*", "vm", "näme ✓ \u{1F600}", "'; drop table", "<&>\"'", "../../x", "%s%n", "true",
            "OpaqueRef:NULL", "00000000-0000-0000-0000-000000000000", "field \"uuid\" = \"x\"", "\t\r\n", "-1",
            String(repeating: "x", count: 5000), String(repeating: "true and ", count: 2000) + "true",
            String(repeating: "(", count: 5000),
        ]
        return texts.randomElement(using: &random) ?? ""
    }

    /// Any value, whatever is asked for.
    private mutating func anything(depth: Int) -> WireValue {
        switch Int.random(in: 0..<(depth > 3 ? 7 : 10), using: &random) {
        case 0: return .string(text())
        case 1: return .int(Int64.random(in: .min ... .max, using: &random))
        case 2: return .bool(chance(0.5))
        case 3: return .double(Double.random(in: -1e9...1e9, using: &random))
        case 4: return .dateTime("20261128T12:00:00Z")
        case 5: return .array([])
        case 6: return chance(0.5) ? .structure([]) : .base64("PCZd")
        case 7: return .array((0..<3).map { _ in anything(depth: depth + 1) })
        case 8: return .structure((0..<3).map { WireMember("m\($0)", anything(depth: depth + 1)) })
        default: return (0..<60).reduce(WireValue.string("deep")) { inner, _ in .array([inner]) }
        }
    }
}
