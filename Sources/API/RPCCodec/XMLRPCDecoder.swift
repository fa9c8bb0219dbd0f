/// Reads the grammar of XML-RPC from tags.
struct XMLRPCDecoder {
    private var reader: XMLReader

    init(_ bytes: [UInt8]) throws(RPCError) { reader = try XMLReader(bytes) }

    mutating func call() throws(RPCError) -> RPCCall {
        try expect(.open("methodCall"))
        try expect(.open("methodName"))
        let method = try text(until: "methodName")
        var parameters: [WireValue] = []
        switch try reader.nextTag() {
        case .open("params"):
            parameters = try self.parameters()
            try expect(.close("methodCall"))
        case .empty("params"): try expect(.close("methodCall"))
        case .close("methodCall"): break
        default: throw reader.failure("params are due")
        }
        try expect(.end)
        return RPCCall(method.filter { !$0.isWhitespace }, parameters)
    }

    /// The one parameter of a response, or the value of its fault.
    mutating func response() throws(RPCError) -> (value: WireValue, isFault: Bool) {
        try expect(.open("methodResponse"))
        let value: WireValue
        let isFault: Bool
        switch try reader.nextTag() {
        case .open("params"):
            let all = try parameters()
            guard let first = all.first, all.count == 1 else { throw reader.failure("a response has one value") }
            (value, isFault) = (first, false)
        case .open("fault"):
            value = try self.value(after: try reader.nextTag(), depth: 1)
            try expect(.close("fault"))
            isFault = true
        default: throw reader.failure("params or a fault are due")
        }
        try expect(.close("methodResponse"))
        try expect(.end)
        return (value, isFault)
    }

    /// A single `<value>`.
    mutating func single() throws(RPCError) -> WireValue {
        let value = try value(after: try reader.nextTag(), depth: 1)
        try expect(.end)
        return value
    }

    private mutating func parameters() throws(RPCError) -> [WireValue] {
        var all: [WireValue] = []
        while true {
            switch try reader.nextTag() {
            case .open("param"):
                all.append(try value(after: try reader.nextTag(), depth: 1))
                try expect(.close("param"))
            case .close("params"): return all
            default: throw reader.failure("a param is due")
            }
        }
    }

    // MARK: - Values

    private mutating func value(after token: XMLReader.Token, depth: Int) throws(RPCError) -> WireValue {
        if token == .empty("value") { return .string("") }
        guard token == .open("value") else { throw reader.failure("a value is due") }
        guard depth <= WireLimits.depth else {
            throw RPCError(.tooDeep, "values nest deeper than \(WireLimits.depth)", at: reader.position)
        }
        let start = reader.position
        let (bytes, inner) = try reader.next()
        if inner == .close("value") { return .string(try string(bytes, at: start)) }
        guard bytes.allSatisfy(XMLReader.isSpace) else { throw reader.failure("text beside a tag in a value") }
        let result = try typed(inner, depth: depth)
        try expect(.close("value"))
        return result
    }

    private mutating func typed(_ token: XMLReader.Token, depth: Int) throws(RPCError) -> WireValue {
        switch token {
        case .open("string"): return .string(try text(until: "string"))
        case .empty("string"): return .string("")
        case .open("int"): return .int(try integer(until: "int"))
        case .open("i4"): return .int(try integer(until: "i4"))
        case .open("i8"): return .int(try integer(until: "i8"))
        case .open("boolean"): return .bool(try trimmed(until: "boolean") == "1")
        case .open("double"):
            guard let number = Double(try trimmed(until: "double")) else { throw reader.failure("not a double") }
            return .double(number)
        case .open("dateTime.iso8601"): return .dateTime(try trimmed(until: "dateTime.iso8601"))
        case .empty("dateTime.iso8601"): return .dateTime("")
        case .open("base64"): return .base64(try text(until: "base64"))
        case .empty("base64"): return .base64("")
        case .empty("nil"), .empty("ex:nil"): return .null
        case .open("nil"):
            try expect(.close("nil"))
            return .null
        case .open("array"): return .array(try array(depth: depth))
        case .empty("array"): return .array([])
        case .open("struct"): return .structure(try structure(depth: depth))
        case .empty("struct"): return .structure([])
        default: throw reader.failure("not a type of XML-RPC that XenAPI uses")
        }
    }

    private mutating func array(depth: Int) throws(RPCError) -> [WireValue] {
        var all: [WireValue] = []
        switch try reader.nextTag() {
        case .empty("data"): break
        case .open("data"):
            while true {
                let token = try reader.nextTag()
                if token == .close("data") { break }
                all.append(try value(after: token, depth: depth + 1))
            }
        default: throw reader.failure("data are due")
        }
        try expect(.close("array"))
        return all
    }

    private mutating func structure(depth: Int) throws(RPCError) -> [WireMember] {
        var all: [WireMember] = []
        while true {
            switch try reader.nextTag() {
            case .close("struct"): return all
            case .open("member"): break
            default: throw reader.failure("a member is due")
            }
            let name: String
            switch try reader.nextTag() {
            case .open("name"): name = try text(until: "name")
            case .empty("name"): name = ""
            default: throw reader.failure("the name of a member is due")
            }
            all.append(WireMember(name, try value(after: try reader.nextTag(), depth: depth + 1)))
            try expect(.close("member"))
        }
    }

    // MARK: - Text

    private mutating func expect(_ token: XMLReader.Token) throws(RPCError) {
        guard try reader.nextTag() == token else { throw reader.failure("\(token) is due") }
    }

    private mutating func text(until tag: String) throws(RPCError) -> String {
        let start = reader.position
        let (bytes, token) = try reader.next()
        guard token == .close(tag) else { throw reader.failure("the end of \(tag) is due") }
        return try string(bytes, at: start)
    }

    private mutating func trimmed(until tag: String) throws(RPCError) -> String {
        try text(until: tag).filter { !$0.isWhitespace }
    }

    private mutating func integer(until tag: String) throws(RPCError) -> Int64 {
        guard let number = Int64(try trimmed(until: tag)) else { throw reader.failure("not a 64-bit number") }
        return number
    }

    private func string(_ bytes: [UInt8], at offset: Int) throws(RPCError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RPCError(
                .invalidUTF8, "a text is not UTF-8", at: offset, offendingText: String(decoding: bytes, as: UTF8.self))
        }
        return text
    }
}
