/// The server's side of the handshake, up to the transmission phase. A value: it is fed what arrives and says what to
/// send and when to stop; it holds at most one option (64 KiB) and what one call brought.
///
/// Source: protocol description, "Newstyle negotiation" and "Option types".
public struct ServerHandshake: Sendable {
    public enum Effect: Sendable, Equatable {
        case send([UInt8])
        /// The transmission phase begins; `unconsumed` holds what the client sent of it already.
        case transmit(Agreement)
        /// Somebody else has to say whether there is an export of this name: `found` or `refused`. Comes last.
        case lookUp(String)
        /// TLS begins, as its server; then `secured` and `receive` what came through it. Comes last.
        case startTLS
        /// Send nothing more and close.
        case close(reason: String)
    }

    /// What both sides agreed on.
    public struct Agreement: Sendable, Equatable {
        /// Index into the exports.
        public var export: Int
        public var structuredReplies: Bool
        /// `base:allocation` may be asked for, under `MetaContext.allocationIdentifier`.
        public var allocationContext: Bool
        /// Indices of the export's bitmaps that go with each BLOCK_STATUS, under `MetaContext.bitmapIdentifier`.
        public var bitmaps: [Int]

        public init(export: Int, structuredReplies: Bool, allocationContext: Bool, bitmaps: [Int] = []) {
            self.export = export
            self.structuredReplies = structuredReplies
            self.allocationContext = allocationContext
            self.bitmaps = bitmaps
        }
    }

    /// Whether and when a client may, or must, go over to TLS.
    public enum Encryption: Sendable {
        /// There is none here.
        case none
        /// For clients that want it.
        case offered
        /// Nothing but STARTTLS and ABORT is answered before ("FORCEDTLS mode").
        case required
    }

    enum Phase {
        case clientFlags
        case option
        /// Reading past option data that is too long; then `tooBig` is answered.
        case draining(option: UInt32, remaining: Int)
        /// An option waits for what somebody says of its export's name.
        case lookingUp(option: UInt32, data: [UInt8])
        /// STARTTLS was acknowledged; nothing is read before TLS is up.
        case securing
        case done
    }

    /// Where names are looked up: the one that was found last, if any.
    var exports: [ExportDescription]
    let looksUp: Bool
    /// What was looked up and is not there, while the option that asked for it is answered.
    var refusal: (name: String, text: String)?
    var lookups = 0
    var phase = Phase.clientFlags
    var omitsZeroes = false
    var structuredReplies = false
    /// What SET_META_CONTEXT chose, and for which export.
    var chosen: MetaContextChoice?
    let encryption: Encryption
    var isSecured = false
    private var optionCount = 0
    private var buffer: [UInt8] = []

    /// `exports`: the first also answers to the empty name. Not empty.
    public init(exports: [ExportDescription], encryption: Encryption = .none) {
        precondition(!exports.isEmpty, "a server needs an export")
        self.exports = exports
        self.encryption = encryption
        looksUp = false
    }

    /// A server that knows no export until a client names one, and lists none.
    public init(lookingUpWith encryption: Encryption) {
        exports = []
        self.encryption = encryption
        looksUp = true
    }

    /// The export that was to be looked up. Bytes that came meanwhile are taken up. As `receive`.
    public mutating func found(_ description: ExportDescription) -> [Effect] {
        guard case .lookingUp(let option, let data) = phase else { return [] }
        exports = [description]
        // It is called what the client calls it.
        exports[0].name = Self.exportName(in: option, data[...]) ?? description.name
        chosen = nil
        return resume()
    }

    /// There is none of that name, for the reason that the client is told.
    public mutating func refused(_ text: String) -> [Effect] {
        guard case .lookingUp(let option, let data) = phase else { return [] }
        refusal = (Self.exportName(in: option, data[...]) ?? "", text)
        return resume()
    }

    private mutating func resume() -> [Effect] {
        guard case .lookingUp(let option, let data) = phase else { return [] }
        phase = .option
        var effects: [Effect] = []
        perform(option, data[...], &effects)
        refusal = nil
        if case .done = phase { return effects }
        return effects + receive([])
    }

    /// TLS is up. What was agreed on before it counts no more: somebody in between may have said it.
    public mutating func secured() {
        isSecured = true
        structuredReplies = false
        chosen = nil
        phase = .option
    }

    /// What is sent at once on a new connection.
    public var greeting: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBig(NBDMagic.greeting)
        bytes.appendBig(NBDMagic.option)
        bytes.appendBig(UInt16(HandshakeFlags([.fixedNewstyle, .noZeroes]).rawValue))
        return bytes
    }

    /// Bytes behind the end of the handshake, after `.transmit`.
    public var unconsumed: [UInt8] { buffer }

    /// Takes what arrived. After `.transmit` or `.close`, which come last, nothing more may be fed.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> [Effect] {
        buffer.append(contentsOf: bytes)
        var effects: [Effect] = []
        var consumed = 0
        while case let used = step(buffer[consumed...], &effects), used > 0 { consumed += used }
        buffer.removeFirst(consumed)
        if case .securing = phase, !buffer.isEmpty {
            // Whoever put plain words behind STARTTLS wants them taken for words that came through TLS.
            buffer = []
            effects = effects.filter { $0 != .startTLS }
            close("plain data behind STARTTLS", &effects)
        }
        return effects
    }

    /// Handles one structure at the front of `bytes` and returns its size; 0 when it is incomplete or all is done.
    private mutating func step(_ bytes: ArraySlice<UInt8>, _ effects: inout [Effect]) -> Int {
        var reader = ByteReader(bytes)
        switch phase {
        case .done, .securing, .lookingUp:
            return 0
        case .clientFlags:
            guard let raw = reader.integer(UInt32.self) else { return 0 }
            let flags = HandshakeFlags(rawValue: raw)
            guard flags.isSubset(of: [.fixedNewstyle, .noZeroes]) else {
                close("the client set unknown handshake flags", &effects)
                return 4
            }
            omitsZeroes = flags.contains(.noZeroes)
            phase = .option
            return 4
        case .draining(let option, let remaining):
            let used = min(remaining, bytes.count)
            phase = .draining(option: option, remaining: remaining - used)
            if used == remaining {
                phase = .option
                answer(option, OptionReply.tooBig, text: "the option's data are too long", &effects)
            }
            return used
        case .option:
            guard let magic = reader.integer(UInt64.self) else { return 0 }
            guard magic == NBDMagic.option else {
                close("an option does not begin with its magic number", &effects)
                return 8
            }
            guard let option = reader.integer(UInt32.self), let length = reader.integer(UInt32.self) else { return 0 }
            return stepOption(option, Int(length), reader, &effects)
        }
    }

    private mutating func stepOption(
        _ option: UInt32, _ length: Int, _ reader: ByteReader, _ effects: inout [Effect]
    ) -> Int {
        let head = 16
        if length > NBDLimits.optionData {
            guard length <= NBDLimits.drainedOptionData, option != NBDOption.exportName else {
                close("an option of \(length) bytes", &effects)
                return head
            }
            phase = .draining(option: option, remaining: length)
            return countOption(&effects) ? head : 0
        }
        var reader = reader
        guard let data = reader.bytes(length) else { return 0 }
        if countOption(&effects) { perform(option, data, &effects) }
        return head + length
    }

    private mutating func countOption(_ effects: inout [Effect]) -> Bool {
        optionCount += 1
        if optionCount <= NBDLimits.options { return true }
        close("more than \(NBDLimits.options) options", &effects)
        return false
    }

    mutating func close(_ reason: String, _ effects: inout [Effect]) {
        phase = .done
        effects.append(.close(reason: reason))
    }

    /// One option reply: magic, option, type, length, data.
    func answer(_ option: UInt32, _ type: UInt32, data: [UInt8] = [], _ effects: inout [Effect]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + data.count)
        bytes.appendBig(NBDMagic.optionReply)
        bytes.appendBig(option)
        bytes.appendBig(type)
        bytes.appendBig(UInt32(data.count))
        effects.append(.send(bytes + data))
    }

    func answer(_ option: UInt32, _ type: UInt32, text: String, _ effects: inout [Effect]) {
        answer(option, type, data: Array(text.utf8), &effects)
    }
}
