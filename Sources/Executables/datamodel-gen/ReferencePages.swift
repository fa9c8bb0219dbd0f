import DataModel
import Foundation

/// The reference as Markdown: a page for each class that something here implements, one for all others, one for errors and
/// paths, and a table that says how each message is answered.
struct ReferencePages {
    let model: Datamodel
    /// By wire name: `implemented`, `answered` or `missing`, as `gantryd messages` prints it.
    let coverage: [String: String]

    /// By file name.
    var all: [String: String] {
        var pages = ["README.md": index, "errors.md": errors, "enums.md": enums, "paths.md": paths]
        for declared in model.classes where isDocumented(declared) { pages["\(declared.name).md"] = page(declared) }
        pages["others.md"] = others
        pages["coverage.md"] = table
        return pages
    }

    private func isDocumented(_ declared: ClassDeclaration) -> Bool { declared.text != nil }

    private static let head = "<!-- Made by scripts/make-api-pages.sh from the datamodel. Do not edit. -->\n\n"

    private var index: String {
        let documented = model.classes.filter(isDocumented).map { declared in
            "| [`\(declared.name)`](\(declared.name).md) | \(cell(declared.text ?? "")) |"
        }
        return Self.head + """
            # API reference

            The XenAPI, version 2.23, as Gantry declares it: \(model.classes.count) classes, \
            \(model.classes.map(\.fields.count).reduce(0, +)) fields, \(model.messages.count) messages. Every message can be \
            called; [coverage](coverage.md) says which do their work, which are answered from the database, and which return \
            `NOT_IMPLEMENTED [name]`. `datamodel-gen json` prints everything for programs.

            Every class with objects in the database has `get_record`, `get_by_uuid`, `get_FIELD`, and most have `get_all`, \
            `get_all_records`, `get_all_where`, `get_all_records_where`, `get_by_name_label`. Fields that clients write (RW) \
            have `set_FIELD`, maps `add_to_FIELD` and `remove_from_FIELD`, sets `add_FIELD` and `remove_FIELD`. The pages list \
            what there is beside these. "Role" is the weakest role that may call, "write" the one that may use the setters.

            | class | what its objects are |
            | --- | --- |
            \(documented.joined(separator: "\n"))

            The [other classes](others.md) · [enums](enums.md) · [errors](errors.md) · [paths served over HTTP](paths.md)

            """
    }

    private func page(_ declared: ClassDeclaration) -> String {
        Self.head + "# \(declared.name)\n\n\(declared.text ?? "")\n\n" + body(declared, level: "##")
    }

    private var others: String {
        let rest = model.classes.filter { !isDocumented($0) }
        return Self.head + "# Classes without an implementation\n\n"
            + "Their objects can be read and queried; there are none unless a client made them.\n\n"
            + rest.map { "## \($0.name)\n\n" + body($0, level: "###") }.joined(separator: "\n")
    }

    private func body(_ declared: ClassDeclaration, level: String) -> String {
        var notes = ["Since \(declared.since)"]
        if declared.state != .published { notes.append(declared.state.rawValue) }
        if !declared.inDatabase { notes.append("no objects in the database") }
        if declared.inDatabase && !declared.isPersistent { notes.append("objects end with the daemon") }
        if declared.inDatabase && !declared.generatesEvents { notes.append("no events") }
        if declared.hasCreateDestroy {
            notes.append("`create` and `destroy` from a record (\(declared.defaultRole.name))")
        }
        var text = notes.joined(separator: ", ") + ".\n"
        if !declared.recordFields.isEmpty {
            text += "\n\(level) Fields\n\n| field | type | | write | |\n| --- | --- | --- | --- | --- |\n"
            for field in declared.recordFields {
                text +=
                    "| `\(field.name)` | \(cell(field.type.description)) | \(field.qualifier.rawValue) "
                    + "| \(field.setterRole?.name ?? "") | \(remark(field.text, field.state, field.since)) |\n"
            }
        }
        if !declared.messages.isEmpty {
            text += "\n\(level) Messages\n\n| message | role | |\n| --- | --- | --- |\n"
            for message in declared.messages.sorted(by: { $0.name < $1.name }) {
                text +=
                    "| `\(signature(message))` | \(message.role.name) "
                    + "| \(remark(message.text, message.state, message.since, message)) |\n"
            }
        }
        return text
    }

    private func signature(_ message: MessageDeclaration) -> String {
        let parameters = message.parameters.map { parameter in
            "\(parameter.name): \(parameter.type)\(parameter.defaultValue == nil ? "" : "?")"
        }
        let result = message.result == .void ? "" : " → \(message.result)"
        return cell("\(message.name)(\(parameters.joined(separator: ", ")))\(result)")
    }

    private func remark(
        _ text: String?, _ state: LifecycleState, _ since: String, _ message: MessageDeclaration? = nil
    ) -> String {
        var parts: [String] = []
        if let text { parts.append(text) }
        if let message {
            if coverage[message.wireName] == "missing" { parts.append("*Not implemented.*") }
            if message.isAsync { parts.append("Async.") }
            if !message.errors.isEmpty {
                parts.append("Errors: \(message.errors.map { "`\($0)`" }.joined(separator: ", ")).")
            }
        }
        if state != .published { parts.append("(\(state.rawValue))") }
        return cell(parts.joined(separator: " "))
    }

    private var table: String {
        var text =
            Self.head + """
                # How each message is answered

                From the table of handlers of this build. *Implemented*: by code of its own. *Answered*: by what the declaration \
                implies, from the database, or with `MESSAGE_REMOVED`. *Missing*: `NOT_IMPLEMENTED [name]`.

                | class | implemented | answered | missing |
                | --- | --- | --- | --- |

                """
        var missing = ""
        for declared in model.classes {
            func names(_ kind: String) -> [String] {
                declared.allMessages.filter { coverage[$0.wireName] == kind }.map(\.name).sorted()
            }
            let (done, absent) = (names("implemented"), names("missing"))
            text += "| `\(declared.name)` | \(done.count) | \(names("answered").count) | \(absent.count) |\n"
            if done.isEmpty && absent.isEmpty { continue }
            missing += "\n## \(declared.name)\n"
            if !done.isEmpty { missing += "\nImplemented: \(done.map { "`\($0)`" }.joined(separator: ", ")).\n" }
            if !absent.isEmpty { missing += "\nMissing: \(absent.map { "`\($0)`" }.joined(separator: ", ")).\n" }
        }
        func sum(_ kind: String) -> Int { coverage.values.count { $0 == kind } }
        return text + "| all | \(sum("implemented")) | \(sum("answered")) | \(sum("missing")) |\n" + missing
    }

    private var errors: String {
        let rows = model.errors.map { error in
            "| `\(error.code)` | \(cell(error.parameters.joined(separator: ", "))) | \(cell(error.text ?? "")) |"
        }
        return Self.head + "# Errors\n\n| code | parameters | |\n| --- | --- | --- |\n" + rows.joined(separator: "\n")
            + "\n"
    }

    private var enums: String {
        let rows = model.enums.map { "| `\($0.name)` | \($0.values.map { "`\($0)`" }.joined(separator: ", ")) |" }
        return Self.head
            + "# Enums\n\nRead in any case of letters, written as here.\n\n| enum | values |\n| --- | --- |\n"
            + rows.joined(separator: "\n") + "\n"
    }

    private var paths: String {
        let rows = model.httpHandlers.map { handler in
            "| \(handler.method.rawValue) `\(handler.path)` | `\(handler.permission.name)` "
                + "| \(handler.isChecked ? handler.role.name : "not checked") "
                + "| \(cell(handler.arguments.joined(separator: ", "))) |"
        }
        return Self.head + "# Paths over HTTP\n\nAs the API declares them; a path that is not built answers 404.\n\n"
            + "| path | permission | role | arguments |\n| --- | --- | --- | --- |\n" + rows.joined(separator: "\n")
            + "\n"
    }

    /// Text that cannot end a table's cell.
    private func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
