/// Copies texts that need no escapes, which nearly all are.
enum PlainText {
    /// Appends the text's bytes, unless one of them is special: then it appends nothing and answers false.
    @inline(__always)
    static func append(_ text: String, to bytes: inout [UInt8], unless isSpecial: (UInt8) -> Bool) -> Bool {
        // SAFETY: the buffer is used inside the closure only, within its bounds.
        let isPlain = unsafe text.utf8.withContiguousStorageIfAvailable { room in
            for index in 0..<room.count where isSpecial(unsafe room[index]) { return false }
            unsafe bytes.append(contentsOf: room)
            return true
        }
        if let isPlain { return isPlain }
        guard !text.utf8.contains(where: isSpecial) else { return false }
        bytes.append(contentsOf: text.utf8)
        return true
    }
}
