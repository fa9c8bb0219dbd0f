import APITypes
import Foundation
import PoolDatabase
import TestSupport
import Testing

@testable import Toolstack

/// Dumps of the database as XML.
@Suite struct DatabaseDumpTests {
    private static func text(_ database: PoolDatabase) -> [UInt8] {
        var writer = DatabaseXMLWriter(database)
        var all: [UInt8] = []
        while let piece = writer.next() { all += piece }
        return all
    }

    private static func read(_ bytes: [UInt8], in folder: ScratchFolder) async throws -> PoolDatabase {
        let path = folder.file("dump")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try DatabaseXMLReader.recognizes(path))
        let database = try await PoolDatabase.open(path: nil)
        try await DatabaseXMLReader.fill(database, from: path)
        return database
    }

    /// Texts that XML, its reader, or the columns' own lists could take for something else.
    private static let odd = [
        "", " ", "  a  b ", "tab\t nl\n cr\r\n", "100%", "%.", "%x0041", "%", "%%n", "<a b='c'>&amp;\"", "it's \\ (so)",
        "\\'",
        "\u{0}\u{1}\u{1F}\u{7F}", "\u{FFFE}\u{FFFF}", "é\u{301} 🦓 \u{2028}", ")(", "('a' 'b')", "]]>",
        "<?gantry-sha256 x?>",
    ]

    @Test func everyValueComesBackAsItWas() async throws {
        let folder = try ScratchFolder("dump")
        let database = try await PoolDatabase.open(path: nil)
        try await database.transaction { tx in
            for (number, text) in Self.odd.enumerated() {
                let (vm, sr) = (Ref<VM>.new(), Ref<SR>("OpaqueRef:sr\(number)"))
                tx.insert(SR.self, ref: sr) { row in
                    row[SR.nameLabel] = text
                    row[SR.tags] = [text, "x"].filter { !$0.isEmpty }
                    row[SR.otherConfig] = [text: text, "k": "v"]
                    row[SR.physicalSize] = .max - Int64(number)
                }
                tx.insert(VM.self, ref: vm) { row in
                    row[VM.nameDescription] = text
                    row[VM.isATemplate] = number % 2 == 0
                    row[VM.powerState] = number % 2 == 0 ? .running : .halted
                }
                tx.insert(VDI.self, ref: .new()) { row in
                    row[VDI.sr] = sr
                    row[VDI.nameLabel] = text
                    row[VDI.snapshotTime] = APIDate(seconds: 1_700_000_000 + Int64(number))
                }
                tx.setPrivate(kind: RootCredentials.kind, key: "u\(number)/x", value: text)
            }
            tx.insert(XenTask.self, ref: .new()) { $0[XenTask.nameLabel] = "not kept" }
        }
        let bytes = Self.text(database)
        let copy = try await Self.read(bytes, in: folder)
        for schema in database.schema.classes where schema.isPersistent {
            let rows = database.read { $0.rows(className: schema.name) }
            #expect(copy.read { $0.count(className: schema.name) } == rows.count, "\(schema.name)")
            for row in rows {
                let again = try #require(copy.read { $0.row(className: schema.name, ref: row.ref) })
                for (position, field) in schema.fields.enumerated() where field.isPersistent {
                    // What a computed set holds has no order.
                    guard field.source == nil else { continue }
                    #expect(again.value(at: position) == row.value(at: position), "\(schema.name) \(field.name)")
                }
            }
        }
        #expect(copy.read { $0.rows(SR.self).allSatisfy { $0[SR.vdis].count == 1 } })
        #expect(
            copy.read { $0.privateRecords(kind: RootCredentials.kind) }
                == database.read { $0.privateRecords(kind: RootCredentials.kind) })
        #expect(copy.read { $0.count(className: "task") } == 0)
        // What was read says the same again, apart from who wrote it when.
        #expect(Self.text(copy).count > 1000)
    }

    /// A few objects as a toolstack of the same schema writes them, through a formatter.
    @Test func aDumpFromElsewhereIsRead() async throws {
        let folder = try ScratchFolder("dump")
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <database>
              <manifest>
                <pair key="schema_major_vsn" value="5"/><pair key="schema_minor_vsn" value="792"/>
                <pair key="generation_count" value="72945"/>
              </manifest>
              <table name="Cluster"/>
              <table name="of_another_schema"><row ref="OpaqueRef:x" a="b"/></table>
              <table name="VM">
                <row ref="OpaqueRef:v" __ctime="1" _ref="OpaqueRef:v" uuid="33333333-3333-3333-3333-333333333333"
                  name__label="a%.&quot;b&quot;%_c" power_state="Halted" other_config="(('k%.1'%.'it\\'s')%.('e'%.''))"
                  blocked_operations="(('new_op'%.'x')%.('start'%.'y'))"
                  tags="('a'%.'b')" memory__static_max="1024" is_a_template="false" no_such_column="1"/>
              </table>
            </database>
            """
        let database = try await Self.read(Array(text.utf8), in: folder)
        let row = try #require(database.read { $0.row(Ref<VM>("OpaqueRef:v")) })
        #expect(row[VM.nameLabel] == "a \"b\"  c" && row[VM.tags] == ["a", "b"] && row[VM.memoryStaticMax] == 1024)
        #expect(row[VM.otherConfig] == ["k 1": "it's", "e": ""] && row.uuid.hasPrefix("33333333"))
        // An operation that is not known here.
        #expect(row[VM.blockedOperations] == [.start: "y"])
        let another = try await PoolDatabase.open(path: nil)
        #expect(
            try await DatabaseXMLReader.fill(another, from: folder.file("dump"))
                == ["VM.blocked_operations of OpaqueRef:v"])
    }

    @Test func damagedDumpsAreRefused() async throws {
        let folder = try ScratchFolder("dump")
        let database = try await PoolDatabase.open(path: nil)
        _ = try await HostBootstrap.run(database: database, stateDirectory: folder.path)
        let good = Self.text(database)
        var random = SeededRandom.printed()
        for _ in 0..<20 {
            var bad = good
            // Anywhere before the seal, which is only as good as itself.
            let position = Int.random(in: 1..<good.count - DatabaseXML.sealedEndLength, using: &random)
            bad[position] ^= UInt8.random(in: 1...255, using: &random)
            await #expect(throws: APIError.self) { try await Self.read(bad, in: folder) }
        }
        let row = "<database><table name=\"VM\"><row ref=\"r\""
        for text in [
            "<database>", "<a/>", "\(row) memory__static_max=\"many\"/></table></database>",
            "\(row) power_state=\"Sleeping\"/></table></database>", "\(row) tags=\"('a\"/></table></database>",
            "<database><table name=\"VM\"><row uuid=\"u\"/></table></database>",
            "\(row)/><row ref=\"r\"/></table></database>",
            "<database><manifest><pair key=\"schema_major_vsn\" value=\"6\"/></manifest></database>",
            "<database><table name=\"gantry_private\"><row ref=\"other\" value=\"\"/></table></database>",
            String(decoding: good.prefix(good.count / 2), as: UTF8.self),
        ] {
            await #expect(throws: APIError.self, "\(text.prefix(200))") {
                try await Self.read(Array(text.utf8), in: folder)
            }
        }
    }

    /// Records of things half made, or on their way, of kinds that are not known here too: without them they could be used.
    @Test func recordsOfEveryKindComeBack() async throws {
        let folder = try ScratchFolder("dump")
        let database = try await PoolDatabase.open(path: nil)
        let (disk, kinds) = (Ref<VDI>.new(), ["arrival", "copy", "epoch", "of a later version", DiskCopy.kind])
        try await database.transaction { tx in
            try SuspensionNote(phase: .saving, vm: "u").write(of: disk, in: tx)
            try MachineDisks.retire([disk], "k", in: tx)
            for kind in kinds { tx.setPrivate(kind: kind, key: "a/b c", value: "<\(kind)>") }
        }
        let copy = try await Self.read(Self.text(database), in: folder)
        let all = database.read { reader in reader.privateKinds.map { [$0: reader.privateRecords(kind: $0)] } }
        #expect(all.count == Set(kinds).count + 2)
        #expect(copy.read { reader in reader.privateKinds.map { [$0: reader.privateRecords(kind: $0)] } } == all)
    }

    /// As a later version would have written it: it opens, and comes back, without them, and whoever brings it is told.
    @Test func valuesThatAreNotKnownEndNoDaemonAndNoRestore() async throws {
        let folder = try ScratchFolder("dump")
        let path = folder.file("later.db")
        let vm = Ref<VM>.new()
        let strange = try await PoolDatabase.open(path: path)
        _ = try await HostBootstrap.run(database: strange, stateDirectory: folder.path)
        try await strange.transaction { tx in
            tx.insert(VM.self, ref: vm) { row in
                row[field: "power_state"] = .string("Sleeping")
                row[field: "blocked_operations"] = .map(["new_op": .string("x"), "start": .string("y")])
                row[VM.nameLabel] = "later"
            }
        }
        try await strange.close()
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))

        let database = try await PoolDatabase.open(path: path, deriving: AllowedOperations.derivation)
        let row = try #require(database.read { $0.row(vm) })
        #expect(row[VM.powerState] == .halted && row[VM.blockedOperations] == [.start: "y"])
        #expect(row[VM.nameLabel] == "later" && !row[VM.allowedOperations].contains(.start))
        let replaced = ["VM.power_state of \(vm.opaque)", "VM.blocked_operations of \(vm.opaque)"]
        #expect(Set(database.replacedValues) == Set(replaced))

        let files = DatabaseFiles(database: database)
        let sink = try files.beginRestore(dryRun: true)
        try await sink.write(bytes)
        let answer = try await sink.finish()
        guard case .string(let told) = answer else {
            Issue.record("nobody is told")
            return
        }
        for value in replaced { #expect(told.contains(value)) }
        try await database.close()
    }

    @Test func whatDumpsLeftBehindIsSwept() async throws {
        let folder = try ScratchFolder("dump")
        let kept = ["pool.db", "pool.db.restored", "pool.db.before-restore", "other.db.dump-1"]
        let swept = ["pool.db.received-1", "pool.db.received-1.sqlite", "pool.db.received-1-wal", "pool.db.dump-2"]
        for name in kept + swept {
            try Data().write(to: URL(fileURLWithPath: folder.file(name)))
        }
        try DatabaseFiles.sweep(beside: folder.file("pool.db"))
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == Set(kept))
    }
}
