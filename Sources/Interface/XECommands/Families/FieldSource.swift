/// Where the value of a field comes from, starting at a record of the family's class.
///
/// The tables write it so:
///
/// | text | meaning |
/// | --- | --- |
/// | `member` | that member of the record |
/// | `member@Class` | the member holds references to `Class`: their uuids |
/// | `member@Class.other` | `other` of the object, or of each object, that the member refers to |
/// | `Class.message(self)`, `Class.message()` | the result of a call, with or without the object; `@Class` may follow |
/// | `(name)` | computed by `FieldReader` |
///
/// then, after a colon, the styles of `FieldStyle` separated by commas.
enum FieldSource: Hashable, Sendable {
    case member(String, references: String?)
    case follow(String, className: String, member: String)
    case call(String, takesSelf: Bool, references: String?)
    case computed(String)

    /// The XenAPI name of the field that a setter writes; nil when there is none.
    var settableMember: String? {
        switch self {
        case .member(let name, _), .follow(_, _, let name): name
        case .call, .computed: nil
        }
    }

    /// The class whose objects the value refers to.
    var references: String? {
        switch self {
        case .member(_, let className), .call(_, _, let className): className
        case .follow, .computed: nil
        }
    }

    /// Nil when `text` is not of the forms above.
    init?(_ text: some StringProtocol) {
        if text.hasPrefix("("), text.hasSuffix(")") {
            self = .computed(String(text.dropFirst().dropLast()))
            return
        }
        if let open = text.firstIndex(of: "("), let close = text.firstIndex(of: ")") {
            let rest = text[text.index(after: close)...]
            self = .call(
                String(text[..<open]), takesSelf: text[open...close] == "(self)",
                references: rest.hasPrefix("@") ? String(rest.dropFirst()) : nil)
            return
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard let member = parts.first, !member.isEmpty, parts.count <= 2 else { return nil }
        guard parts.count == 2 else {
            self = .member(String(member), references: nil)
            return
        }
        let target = parts[1].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if target.count == 2 {
            self = .follow(String(member), className: String(target[0]), member: String(target[1]))
        } else {
            self = .member(String(member), references: String(parts[1]))
        }
    }
}

/// How a value is spelled, where that is not how the API spells it.
enum FieldStyle: String, Hashable, Sendable {
    /// `Running` as `running`.
    case lowercase
    /// Of a map only the values.
    case values
    /// A list with `, ` between the items.
    case commas
    /// A size: may be given with a suffix.
    case bytes
    case vdiType = "vdi-type"
    case srOperations = "sr-operations"
    case hostOperations = "host-operations"
    case taskOperations = "task-operations"
}
