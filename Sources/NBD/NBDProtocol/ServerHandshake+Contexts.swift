/// The metadata contexts a client chose for one export.
struct MetaContextChoice: Equatable {
    var export: Int
    var allocation = false
    /// Indices of the export's bitmaps, in order.
    var bitmaps: [Int] = []
}

// LIST_META_CONTEXT and SET_META_CONTEXT: export name, number of queries, queries. A query is a context's whole name; LIST
// also takes a namespace ("base:", "qemu:") and the beginning of the bitmaps' names.

extension ServerHandshake {
    mutating func metaContext(_ option: UInt32, _ data: ArraySlice<UInt8>, _ effects: inout [Effect]) {
        let sets = option == NBDOption.setMetaContext
        // Whatever becomes of this request, it takes the place of the one before.
        if sets { chosen = nil }
        guard structuredReplies else {
            return invalid(option, "structured replies must be agreed on first", &effects)
        }
        var reader = ByteReader(data)
        guard let name = reader.string(), let count = reader.integer(UInt32.self) else {
            return invalid(option, "malformed data", &effects)
        }
        // Each query takes at least four bytes, so that the data bound the loop, not the peer's count.
        var queries: [String] = []
        for _ in 0..<count {
            guard let query = reader.string() else { return invalid(option, "malformed query", &effects) }
            queries.append(query)
        }
        guard reader.remaining == 0 else { return invalid(option, "data behind the last query", &effects) }
        guard let index = index(of: name) else {
            return answer(option, OptionReply.unknown, text: refusalText, &effects)
        }
        let matches = matches(queries, export: index, lists: !sets)
        if matches.allocation { offer(option, MetaContext.allocationIdentifier, MetaContext.allocation, &effects) }
        for bitmap in matches.bitmaps {
            let context = MetaContext.dirtyBitmap + exports[index].bitmaps[bitmap]
            offer(option, MetaContext.bitmapIdentifier(bitmap), context, &effects)
        }
        if sets { chosen = matches }
        answer(option, OptionReply.ack, &effects)
    }

    private func matches(_ queries: [String], export: Int, lists: Bool) -> MetaContextChoice {
        var choice = MetaContextChoice(export: export)
        let asked = Set(queries)
        let all = lists && queries.isEmpty
        choice.allocation = all || asked.contains(MetaContext.allocation) || lists && asked.contains("base:")
        let everyBitmap = all || lists && (asked.contains("qemu:") || asked.contains(MetaContext.dirtyBitmap))
        choice.bitmaps = exports[export].bitmaps.indices.filter {
            everyBitmap || asked.contains(MetaContext.dirtyBitmap + exports[export].bitmaps[$0])
        }
        return choice
    }

    /// LIST tells no numbers.
    private func offer(_ option: UInt32, _ identifier: UInt32, _ name: String, _ effects: inout [Effect]) {
        var item: [UInt8] = []
        item.appendBig(option == NBDOption.setMetaContext ? identifier : 0)
        item.append(contentsOf: name.utf8)
        answer(option, OptionReply.metaContext, data: item, &effects)
    }
}
