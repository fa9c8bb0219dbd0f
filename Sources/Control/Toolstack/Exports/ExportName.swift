import APITypes

/// What an NBD client calls a disk, `/UUID?session_id=REF`: whoever has the name may read the disk while the session is in
/// force. Source: XenAPI, VDI.get_nbd_info.
struct ExportName: Hashable, Sendable {
    let vdi: String
    let session: Ref<Session>

    init(vdi: String, session: Ref<Session>) {
        self.vdi = vdi
        self.session = session
    }

    /// Nil for every other text. Other queries are passed over.
    init?(parsing text: String) {
        guard text.hasPrefix("/"), let mark = text.firstIndex(of: "?") else { return nil }
        let vdi = String(text[..<mark].dropFirst())
        let key = "session_id="
        let query = text[mark...].dropFirst().split(separator: "&").first { $0.hasPrefix(key) }
        guard Fresh.isUUID(vdi), let reference = query?.dropFirst(key.count), !reference.isEmpty else { return nil }
        self.init(vdi: vdi, session: Ref(String(reference)))
    }

    var text: String { "/\(vdi)?session_id=\(session.opaque)" }
}
