/// The client's side of the handshake: fixed newstyle, asking for structured replies, `base:allocation` and GO, and
/// falling back to EXPORT_NAME where a server knows none of them. A value: fed what arrives, says what to send.
public struct ClientHandshake: Sendable {
    public enum Effect: Sendable, Equatable {
        case send([UInt8])
        /// The transmission phase begins; `unconsumed` holds what the server sent of it already (normally nothing).
        case transmit(Agreement)
        /// TLS begins, as its client; then `secured` and `receive` what came through it. Comes last.
        case startTLS
        /// The server refused or broke the protocol; close.
        case fail(Failure, String)
    }

    public enum Failure: Sendable, Equatable {
        /// There is no export of this name.
        case unknownExport
        /// The server's policy, or a demand for TLS.
        case denied
        /// The server speaks a dialect this client does not.
        case unsupported
        /// The server sent what the protocol does not allow.
        case malformed
    }

    public struct Agreement: Sendable, Equatable {
        public var export: ExportDescription
        public var structuredReplies: Bool
        /// The number the server gave `base:allocation`; nil when it does not offer it.
        public var allocationContext: UInt32?

        public init(export: ExportDescription, structuredReplies: Bool, allocationContext: UInt32?) {
            self.export = export
            self.structuredReplies = structuredReplies
            self.allocationContext = allocationContext
        }
    }

    private enum Phase {
        case greeting, startTLS, structuredReply, metaContext, go, exportName, done
    }

    private let name: String
    private let encrypted: Bool
    private var phase = Phase.greeting
    private var serverFlags: HandshakeFlags = []
    private var agreement: Agreement
    private var sawExport = false
    private var replyCount = 0
    private var buffer: [UInt8] = []

    /// `exportName`: up to 4096 bytes; empty for the server's default export. `encrypted`: insists on TLS: a server that
    /// has none, or somebody in between who says so, gets no further word.
    public init(exportName: String, encrypted: Bool = false) {
        name = exportName
        self.encrypted = encrypted
        let export = ExportDescription(name: exportName, size: 0, flags: [])
        agreement = Agreement(export: export, structuredReplies: false, allocationContext: nil)
    }

    public var unconsumed: [UInt8] { buffer }

    /// TLS is up.
    public mutating func secured() -> [Effect] {
        var effects: [Effect] = []
        enter(.structuredReply, &effects)
        return effects
    }

    /// Takes what arrived. `.transmit` and `.fail` come last.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> [Effect] {
        buffer.append(contentsOf: bytes)
        var effects: [Effect] = []
        var consumed = 0
        while case let used = step(buffer[consumed...], &effects), used > 0 { consumed += used }
        buffer.removeFirst(consumed)
        if effects.last == .startTLS, !buffer.isEmpty {
            // Plain words behind the acknowledgement would be taken for words that came through TLS.
            effects.removeLast()
            _ = fail(.malformed, "the server sent plain data after it had agreed on TLS", &effects)
        }
        return effects
    }

    private mutating func fail(_ failure: Failure, _ message: String, _ effects: inout [Effect]) -> Int {
        phase = .done
        effects.append(.fail(failure, message))
        return 0
    }

    private mutating func step(_ bytes: ArraySlice<UInt8>, _ effects: inout [Effect]) -> Int {
        var reader = ByteReader(bytes)
        switch phase {
        case .done:
            return 0
        case .greeting:
            guard let magic = reader.integer(UInt64.self) else { return 0 }
            guard magic == NBDMagic.greeting else { return fail(.malformed, "this is not an NBD server", &effects) }
            guard let style = reader.integer(UInt64.self) else { return 0 }
            guard style == NBDMagic.option else {
                return fail(.unsupported, "the server speaks only the oldstyle handshake", &effects)
            }
            guard let raw = reader.integer(UInt16.self) else { return 0 }
            serverFlags = HandshakeFlags(rawValue: UInt32(raw))
            let flags = serverFlags.intersection([.fixedNewstyle, .noZeroes])
            var answer: [UInt8] = []
            answer.appendBig(flags.rawValue)
            effects.append(.send(answer))
            if encrypted {
                guard serverFlags.contains(.fixedNewstyle) else {
                    return fail(.denied, "the server speaks a dialect without TLS, which is demanded here", &effects)
                }
                enter(.startTLS, &effects)
            } else if serverFlags.contains(.fixedNewstyle) {
                enter(.structuredReply, &effects)
            } else {
                enter(.exportName, &effects)
            }
            return 18
        case .exportName:
            let zeroes = serverFlags.contains(.noZeroes) ? 0 : 124
            guard reader.remaining >= 10 + zeroes, let size = reader.integer(UInt64.self),
                let flags = reader.integer(UInt16.self)
            else { return 0 }
            guard size <= NBDLimits.exportSize else {
                return fail(.malformed, "the server claims an export of 2^63 bytes or more", &effects)
            }
            agreement.export.size = size
            agreement.export.flags = TransmissionFlags(rawValue: flags)
            return agree(&effects) ? 10 + zeroes : 0
        case .startTLS, .structuredReply, .metaContext, .go:
            return stepReply(&reader, &effects)
        }
    }

    private mutating func enter(_ next: Phase, _ effects: inout [Effect]) {
        phase = next
        var data: [UInt8] = []
        let option: UInt32
        switch next {
        case .startTLS:
            option = NBDOption.startTLS
        case .structuredReply:
            option = NBDOption.structuredReply
        case .metaContext:
            option = NBDOption.setMetaContext
            data.appendBig(UInt32(name.utf8.count))
            data.append(contentsOf: name.utf8)
            data.appendBig(1 as UInt32)
            data.appendBig(UInt32(MetaContext.allocation.utf8.count))
            data.append(contentsOf: MetaContext.allocation.utf8)
        case .go:
            option = NBDOption.go
            data.appendBig(UInt32(name.utf8.count))
            data.append(contentsOf: name.utf8)
            data.appendBig(1 as UInt16)
            data.appendBig(InfoType.blockSize)
        case .exportName:
            option = NBDOption.exportName
            data.append(contentsOf: name.utf8)
        case .greeting, .done:
            return
        }
        var bytes: [UInt8] = []
        bytes.appendBig(NBDMagic.option)
        bytes.appendBig(option)
        bytes.appendBig(UInt32(data.count))
        effects.append(.send(bytes + data))
    }

    private mutating func stepReply(_ reader: inout ByteReader, _ effects: inout [Effect]) -> Int {
        guard let magic = reader.integer(UInt64.self), let option = reader.integer(UInt32.self),
            let type = reader.integer(UInt32.self), let length = reader.integer(UInt32.self)
        else { return 0 }
        let expected =
            switch phase {
            case .startTLS: NBDOption.startTLS
            case .structuredReply: NBDOption.structuredReply
            case .metaContext: NBDOption.setMetaContext
            default: NBDOption.go
            }
        replyCount += 1
        guard magic == NBDMagic.optionReply, option == expected, length <= UInt32(NBDLimits.optionData),
            replyCount <= NBDLimits.options * 64
        else { return fail(.malformed, "the server sent a malformed option reply", &effects) }
        guard let data = reader.bytes(Int(length)) else { return 0 }
        handle(type, data, &effects)
        return 20 + Int(length)
    }

    private mutating func handle(_ type: UInt32, _ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        var reader = ByteReader(data)
        switch (phase, type) {
        case (.startTLS, OptionReply.ack):
            phase = .done
            effects.append(.startTLS)
        case (.startTLS, _):
            _ = fail(.denied, "the server offers no TLS, which is demanded here", &effects)
        case (.structuredReply, _):
            agreement.structuredReplies = type == OptionReply.ack
            enter(agreement.structuredReplies ? .metaContext : .go, &effects)
        case (.metaContext, OptionReply.metaContext):
            let identifier = reader.integer(UInt32.self)
            if data.dropFirst(4).elementsEqual(MetaContext.allocation.utf8) {
                agreement.allocationContext = identifier
            }
        case (.metaContext, _):
            if type != OptionReply.ack { agreement.allocationContext = nil }
            enter(.go, &effects)
        case (.go, OptionReply.info) where readInformation(&reader):
            break
        case (.go, OptionReply.ack) where sawExport:
            _ = agree(&effects)
        case (.go, OptionReply.unsupported):
            enter(.exportName, &effects)
        case (.go, _) where OptionReply.isError(type):
            refuse(type, String(decoding: data.prefix(512), as: UTF8.self), &effects)
        default:
            _ = fail(.malformed, "the server sent a malformed option reply", &effects)
        }
    }

    /// One information item of GO; false when it is malformed. Unknown items are passed over.
    private mutating func readInformation(_ reader: inout ByteReader) -> Bool {
        guard let item = reader.integer(UInt16.self) else { return false }
        switch item {
        case InfoType.export:
            guard let size = reader.integer(UInt64.self), let flags = reader.integer(UInt16.self),
                size <= NBDLimits.exportSize
            else { return false }
            agreement.export.size = size
            agreement.export.flags = TransmissionFlags(rawValue: flags)
            sawExport = true
        case InfoType.blockSize:
            guard let minimum = reader.integer(UInt32.self), let preferred = reader.integer(UInt32.self),
                let maximum = reader.integer(UInt32.self)
            else { return false }
            agreement.export.minimumBlock = minimum
            agreement.export.preferredBlock = preferred
            agreement.export.maximumBlock = maximum
        default:
            break
        }
        return true
    }

    /// False: requests of the sizes that the server told could not be made.
    private mutating func agree(_ effects: inout [Effect]) -> Bool {
        if let fault = agreement.export.blockFault {
            _ = fail(.unsupported, "the server's export cannot be used: \(fault)", &effects)
            return false
        }
        phase = .done
        effects.append(.transmit(agreement))
        return true
    }

    private mutating func refuse(_ type: UInt32, _ text: String, _ effects: inout [Effect]) {
        let detail = text.isEmpty ? "" : ": \(text)"
        let (failure, message): (Failure, String) =
            switch type {
            case OptionReply.unknown: (.unknownExport, "the server has no export called \"\(name)\"\(detail)")
            case OptionReply.policy: (.denied, "the server refuses this client\(detail)")
            case OptionReply.tlsRequired: (.denied, "the server wants TLS, which was not asked for here\(detail)")
            default: (.unsupported, "the server refuses the export (reply \(type & 0xFFFF))\(detail)")
            }
        _ = fail(failure, message, &effects)
    }
}
