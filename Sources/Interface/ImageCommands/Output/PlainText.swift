/// Text that strangers made, shown to a person: nothing in it may command the terminal.
enum PlainText {
    static func of(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 32 || (0x7F...0x9F).contains($0.value) ? "?" : $0 }))
    }
}
