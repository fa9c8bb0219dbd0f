// What each option does. Malformed data are answered with ERR_INVALID and the handshake goes on.

extension ServerHandshake {
    mutating func perform(_ option: UInt32, _ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        if encryption == .required, !isSecured, option != NBDOption.startTLS, option != NBDOption.abort {
            if option == NBDOption.exportName { return close("the client asked for an export without TLS", &effects) }
            return answer(option, OptionReply.tlsRequired, text: "TLS must be negotiated first", &effects)
        }
        if looksUp, let name = Self.exportName(in: option, data), index(of: name) == nil, refusal?.name != name {
            lookups += 1
            guard lookups <= NBDLimits.lookups else {
                return close("more than \(NBDLimits.lookups) names looked up", &effects)
            }
            // Who is asked for another lets go of the one that was found before.
            exports = []
            chosen = nil
            phase = .lookingUp(option: option, data: Array(data))
            return effects.append(.lookUp(name))
        }
        switch option {
        case NBDOption.exportName:
            exportName(data, &effects)
        case NBDOption.abort:
            answer(option, OptionReply.ack, &effects)
            close("the client aborted the handshake", &effects)
        case NBDOption.list:
            guard data.isEmpty else { return invalid(option, "LIST takes no data", &effects) }
            for export in exports where !looksUp {
                var entry: [UInt8] = []
                entry.appendBig(UInt32(export.name.utf8.count))
                entry.append(contentsOf: export.name.utf8)
                entry.append(contentsOf: export.text.utf8)
                answer(option, OptionReply.server, data: entry, &effects)
            }
            answer(option, OptionReply.ack, &effects)
        case NBDOption.info, NBDOption.go:
            describe(option, data, &effects)
        case NBDOption.structuredReply:
            guard data.isEmpty else { return invalid(option, "STRUCTURED_REPLY takes no data", &effects) }
            structuredReplies = true
            answer(option, OptionReply.ack, &effects)
        case NBDOption.listMetaContext, NBDOption.setMetaContext:
            metaContext(option, data, &effects)
        case NBDOption.startTLS:
            startTLS(data, &effects)
        default:
            answer(option, OptionReply.unsupported, text: "option \(option) is not known", &effects)
        }
    }

    private mutating func startTLS(_ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        let option = NBDOption.startTLS
        guard encryption != .none else {
            return answer(option, OptionReply.policy, text: "TLS is not offered here", &effects)
        }
        guard data.isEmpty, !isSecured else {
            return invalid(option, isSecured ? "TLS is up already" : "STARTTLS takes no data", &effects)
        }
        answer(option, OptionReply.ack, &effects)
        phase = .securing
        effects.append(.startTLS)
    }

    func invalid(_ option: UInt32, _ why: String, _ effects: inout [Effect]) {
        answer(option, OptionReply.invalid, text: why, &effects)
    }

    /// The empty name is the first export's other name, where there are exports of its own.
    func index(of name: String) -> Int? {
        name.isEmpty && !looksUp ? 0 : exports.firstIndex { $0.name == name }
    }

    /// The name that an option is about; nil for none, and for one that would not be answered anyway.
    static func exportName(in option: UInt32, _ data: ArraySlice<UInt8>) -> String? {
        var reader = ByteReader(data)
        let name: String?
        switch option {
        case NBDOption.exportName: name = String(decoding: data, as: UTF8.self)
        case NBDOption.info, NBDOption.go, NBDOption.listMetaContext, NBDOption.setMetaContext: name = reader.string()
        default: name = nil
        }
        return name.flatMap { 1...NBDLimits.name ~= $0.utf8.count ? $0 : nil }
    }

    /// What a client is told that asks for an export that is not there.
    var refusalText: String { refusal?.text ?? "no such export" }

    /// DF may be offered only where structured replies were agreed on.
    private func flags(of export: ExportDescription) -> TransmissionFlags {
        structuredReplies ? export.flags.union([.hasFlags, .dontFragment]) : export.flags.union(.hasFlags)
    }

    private mutating func begin(_ index: Int, _ effects: inout [Effect]) {
        phase = .done
        var agreement = Agreement(export: index, structuredReplies: structuredReplies, allocationContext: false)
        if structuredReplies, let chosen, chosen.export == index {
            agreement.allocationContext = chosen.allocation
            agreement.bitmaps = chosen.bitmaps
        }
        effects.append(.transmit(agreement))
    }

    /// EXPORT_NAME: there is no error reply; an unknown name ends the connection.
    private mutating func exportName(_ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        guard data.count <= NBDLimits.name, let index = index(of: String(decoding: data, as: UTF8.self)) else {
            return close("no export of the name the client asked for", &effects)
        }
        var bytes: [UInt8] = []
        bytes.appendBig(exports[index].size)
        bytes.appendBig(flags(of: exports[index]).rawValue)
        if !omitsZeroes { bytes.append(contentsOf: repeatElement(0, count: 124)) }
        effects.append(.send(bytes))
        begin(index, &effects)
    }

    /// INFO and GO: name, then the information types that are wanted.
    private mutating func describe(_ option: UInt32, _ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        var reader = ByteReader(data)
        guard let name = reader.string(), let count = reader.integer(UInt16.self), reader.remaining == Int(count) * 2
        else { return invalid(option, "malformed data", &effects) }
        guard name.utf8.count <= NBDLimits.name else {
            return answer(option, OptionReply.tooBig, text: "the export name is too long", &effects)
        }
        guard let index = index(of: name) else {
            return answer(option, OptionReply.unknown, text: refusalText, &effects)
        }
        var wanted: Set<UInt16> = []
        while let type = reader.integer(UInt16.self) { wanted.insert(type) }
        let export = exports[index]

        var item: [UInt8] = []
        item.appendBig(InfoType.export)
        item.appendBig(export.size)
        item.appendBig(flags(of: export).rawValue)
        answer(option, OptionReply.info, data: item, &effects)

        item.removeAll()
        item.appendBig(InfoType.blockSize)
        item.appendBig(export.minimumBlock)
        item.appendBig(export.preferredBlock)
        item.appendBig(export.maximumBlock)
        answer(option, OptionReply.info, data: item, &effects)

        for (type, text) in [(InfoType.name, export.name), (InfoType.description, export.text)]
        where wanted.contains(type) && !text.isEmpty {
            item.removeAll()
            item.appendBig(type)
            item.append(contentsOf: text.utf8)
            answer(option, OptionReply.info, data: item, &effects)
        }
        answer(option, OptionReply.ack, &effects)
        if option == NBDOption.go { begin(index, &effects) }
    }
}
