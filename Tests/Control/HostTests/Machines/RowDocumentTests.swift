import APITypes
import PoolDatabase
import Testing

@testable import Toolstack

/// What toolstacks of other pools say of rows.
@Suite struct RowDocumentTests {
    private static func decode(_ text: String, _ className: String) async throws -> [String: APIValue] {
        let database = try await PoolDatabase.open(path: nil)
        let members = try database.read { try RowDocument.decode(text, className, schema: $0.schema) }
        return Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// A word that a newer toolstack has is told with its field where the object would be another one without it.
    @Test func aWordThatIsNotKnownIsToldWithItsField() async throws {
        let long = String(repeating: "x", count: 5000)
        for (className, field, word) in [
            ("VM", "actions_after_crash", "hibernate"), ("VBD", "mode", "append"), ("VIF", "locking_mode", "guarded"),
            ("VDI", "on_boot", "rewind"), ("VDI", "type", long),
        ] {
            let error = await #expect(throws: APIError.self) {
                try await Self.decode(#"{"\#(field)":"\#(word)"}"#, className)
            }
            #expect(error?.code == "VALUE_NOT_SUPPORTED" && error?.parameters.count == 3, "\(field)")
            #expect(error?.parameters.prefix(2) == ["\(className).\(field)", String(word.prefix(200))], "\(field)")
        }
        #expect(try await Self.decode(#"{"mode":"ro"}"#, "VBD") == ["mode": .string("RO")])
    }

    /// What is not done here anyhow is left out: fields, and words in sets and as keys.
    @Test func whatIsNotKnownAndNotNeededIsLeftOut() async throws {
        let read = try await Self.decode(
            #"{"name_label":"a","a_later_field":{"x":1},"blocked_operations":{"start":"no","teleport":"never"},"#
                + #""secureboot_certificates_state":"expired"}"#, "VM")
        #expect(read["name_label"] == .string("a") && read["a_later_field"] == nil)
        #expect(read["blocked_operations"] == .map(["start": .string("no")]))
        #expect(read["secureboot_certificates_state"] == nil)
        // A value of another type is no word.
        for text in [#"{"tags":5}"#, #"{"actions_after_crash":5}"#, "["] {
            let error = await #expect(throws: APIError.self) { try await Self.decode(text, "VM") }
            #expect(error?.code == "INTERNAL_ERROR", "\(text)")
        }
    }
}
