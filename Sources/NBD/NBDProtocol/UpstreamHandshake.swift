/// A gate's side of the handshake with the server behind it: either it learns what one export is, or it agrees on exactly what
/// its own client has agreed on with it, so that from there on bytes can pass unread. A value: fed what arrives, says what to
/// send.
///
/// Source: protocol description, "Newstyle negotiation", options STRUCTURED_REPLY, LIST_META_CONTEXT, SET_META_CONTEXT, INFO, GO.
public struct UpstreamHandshake: Sendable {
    public enum Effect: Sendable, Equatable {
        case send([UInt8])
        /// The export, as the server tells it; the connection has no other use. Comes last.
        case described(ExportDescription)
        /// The transmission phase begins. Comes last.
        case transmit
        /// The server refused, or does not do what was agreed on; close. Comes last.
        case fail(String)
    }

    private enum Step {
        case structuredReply, listContexts, setContexts, info, go
    }

    private enum Phase {
        case greeting, option, done
    }

    private let name: String
    private var steps: [Step]
    private var phase = Phase.greeting
    /// What the server must call by these numbers.
    private let contexts: [(name: String, identifier: UInt32)]
    private var confirmed: Set<UInt32> = []
    private var description: ExportDescription
    private var sawExport = false
    private var replyCount = 0
    private var buffer: [UInt8] = []

    /// To learn what the export `name` is.
    public init(describing name: String) {
        self.name = name
        steps = [.structuredReply, .listContexts, .info]
        contexts = []
        description = ExportDescription(name: name, size: 0, flags: [])
    }

    /// To agree with the server on what a client agreed on with a gate that had described the export as `description`.
    public init(name: String, like agreement: ServerHandshake.Agreement, of description: ExportDescription) {
        self.name = name
        self.description = description
        var contexts: [(name: String, identifier: UInt32)] = []
        if agreement.allocationContext {
            contexts.append((MetaContext.allocation, MetaContext.allocationIdentifier))
        }
        for index in agreement.bitmaps {
            contexts.append(
                (MetaContext.dirtyBitmap + description.bitmaps[index], MetaContext.bitmapIdentifier(index)))
        }
        self.contexts = contexts
        steps = agreement.structuredReplies ? [.structuredReply] : []
        if !contexts.isEmpty { steps.append(.setContexts) }
        steps.append(.go)
    }

    /// Takes what arrived. The last effect says when nothing more may be fed.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> [Effect] {
        buffer.append(contentsOf: bytes)
        var effects: [Effect] = []
        var consumed = 0
        while case let used = step(buffer[consumed...], &effects), used > 0 { consumed += used }
        buffer.removeFirst(consumed)
        if effects.last == .transmit, !buffer.isEmpty {
            effects.removeLast()
            fail("the server went on behind its handshake", &effects)
        }
        return effects
    }

    private mutating func fail(_ reason: String, _ effects: inout [Effect]) {
        phase = .done
        effects.append(.fail(reason))
    }

    private mutating func step(_ bytes: ArraySlice<UInt8>, _ effects: inout [Effect]) -> Int {
        var reader = ByteReader(bytes)
        switch phase {
        case .done:
            return 0
        case .greeting:
            guard let magic = reader.integer(UInt64.self), let style = reader.integer(UInt64.self),
                let raw = reader.integer(UInt16.self)
            else { return 0 }
            let flags = HandshakeFlags(rawValue: UInt32(raw))
            guard magic == NBDMagic.greeting, style == NBDMagic.option, flags.contains([.fixedNewstyle, .noZeroes])
            else {
                fail("this is no NBD server of ours", &effects)
                return 0
            }
            var answer: [UInt8] = []
            answer.appendBig(HandshakeFlags([.fixedNewstyle, .noZeroes]).rawValue)
            effects.append(.send(answer))
            phase = .option
            ask(&effects)
            return 18
        case .option:
            guard let magic = reader.integer(UInt64.self), let option = reader.integer(UInt32.self),
                let type = reader.integer(UInt32.self), let length = reader.integer(UInt32.self)
            else { return 0 }
            replyCount += 1
            guard magic == NBDMagic.optionReply, let step = steps.first, option == Self.option(step),
                length <= UInt32(NBDLimits.optionData), replyCount <= NBDLimits.options
            else {
                fail("the server sent a malformed option reply", &effects)
                return 0
            }
            guard let data = reader.bytes(Int(length)) else { return 0 }
            take(step, type, data, &effects)
            return 20 + Int(length)
        }
    }

    private static func option(_ step: Step) -> UInt32 {
        switch step {
        case .structuredReply: NBDOption.structuredReply
        case .listContexts: NBDOption.listMetaContext
        case .setContexts: NBDOption.setMetaContext
        case .info: NBDOption.info
        case .go: NBDOption.go
        }
    }

    /// Sends the option of the present step.
    private func ask(_ effects: inout [Effect]) {
        guard let step = steps.first else { return }
        var data: [UInt8] = []
        func append(_ text: String) {
            data.appendBig(UInt32(text.utf8.count))
            data.append(contentsOf: text.utf8)
        }
        switch step {
        case .structuredReply: break
        case .listContexts:
            append(name)
            data.appendBig(0 as UInt32)
        case .setContexts:
            append(name)
            data.appendBig(UInt32(contexts.count))
            for context in contexts { append(context.name) }
        case .info:
            append(name)
            data.appendBig(1 as UInt16)
            data.appendBig(InfoType.blockSize)
        case .go:
            append(name)
            data.appendBig(0 as UInt16)
        }
        var bytes: [UInt8] = []
        bytes.appendBig(NBDMagic.option)
        bytes.appendBig(Self.option(step))
        bytes.appendBig(UInt32(data.count))
        effects.append(.send(bytes + data))
    }

    private mutating func take(_ step: Step, _ type: UInt32, _ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        var reader = ByteReader(data)
        switch (step, type) {
        case (.structuredReply, OptionReply.ack), (.listContexts, OptionReply.ack):
            advance(&effects)
        case (.setContexts, OptionReply.ack):
            guard confirmed == Set(contexts.map(\.identifier)) else {
                return fail("the server has not the contexts that it had", &effects)
            }
            advance(&effects)
        case (.listContexts, OptionReply.metaContext):
            let text = String(decoding: data.dropFirst(4), as: UTF8.self)
            guard text.hasPrefix(MetaContext.dirtyBitmap), description.bitmaps.count < NBDLimits.bitmaps else { return }
            description.bitmaps.append(String(text.dropFirst(MetaContext.dirtyBitmap.count)))
        case (.setContexts, OptionReply.metaContext):
            guard let identifier = reader.integer(UInt32.self),
                contexts.contains(where: {
                    $0.identifier == identifier && data.dropFirst(4).elementsEqual($0.name.utf8)
                })
            else { return fail("the server gives a context another number than this program would", &effects) }
            confirmed.insert(identifier)
        case (.info, OptionReply.info):
            if !readInformation(&reader) { fail("the server sent malformed information", &effects) }
        case (.info, OptionReply.ack) where sawExport:
            if let fault = description.blockFault { return fail("the export cannot be used: \(fault)", &effects) }
            phase = .done
            effects.append(.described(description))
        case (.go, OptionReply.info):
            // The disk may have grown since it was described, and the client knows only the size that it was told.
            guard reader.integer(UInt16.self) == InfoType.export else { return }
            guard let size = reader.integer(UInt64.self), size >= description.size else {
                return fail("the export is smaller than it was", &effects)
            }
            sawExport = true
        case (.go, OptionReply.ack) where sawExport:
            phase = .done
            effects.append(.transmit)
        default:
            let text = String(decoding: data.prefix(256), as: UTF8.self)
            fail("the server refuses (reply \(type & 0xFFFF)): \(text)", &effects)
        }
    }

    private mutating func advance(_ effects: inout [Effect]) {
        steps.removeFirst()
        ask(&effects)
    }

    private mutating func readInformation(_ reader: inout ByteReader) -> Bool {
        guard let item = reader.integer(UInt16.self) else { return false }
        switch item {
        case InfoType.export:
            guard let size = reader.integer(UInt64.self), let flags = reader.integer(UInt16.self) else { return false }
            description.size = size
            // Whoever offers it says by itself whether it has structured replies.
            description.flags = TransmissionFlags(rawValue: flags).subtracting(.dontFragment)
            sawExport = true
        case InfoType.blockSize:
            guard let minimum = reader.integer(UInt32.self), let preferred = reader.integer(UInt32.self),
                let maximum = reader.integer(UInt32.self)
            else { return false }
            description.minimumBlock = minimum
            description.preferredBlock = preferred
            description.maximumBlock = maximum
        default: break
        }
        return true
    }
}
