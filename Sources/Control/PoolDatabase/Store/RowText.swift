import APITypes

/// The text form of a row's fields in files of the first version: JSON that says each value's kind. Read only.
///
/// string `"a"` · int `1` · bool `true` · set `[…]` · void `null` · float `{"f":"0.5"}` · datetime `{"t":0}` ·
/// ref `{"r":"OpaqueRef:…"}` · map `{"m":{…}}` · record `{"o":[["name",…],…]}`
enum RowText {
    /// Nil when the text is not of this form.
    static func decode(_ text: String) -> [String: APIValue]? {
        var reader = RowTextReader(Array(text.utf8))
        guard let fields = reader.entries(depth: 0), reader.isAtEnd else { return nil }
        return fields
    }
}
