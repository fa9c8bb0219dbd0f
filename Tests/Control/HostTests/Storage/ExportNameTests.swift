import APITypes
import Testing

@testable import Toolstack

@Suite struct ExportNameTests {
    private static let uuid = "0c7c1b4a-6e7e-4f0e-8f1c-2f4c6d7f9a10"

    @Test func aNameIsReadAsItIsWritten() {
        let name = ExportName(vdi: Self.uuid, session: Ref("OpaqueRef:1"))
        #expect(name.text == "/\(Self.uuid)?session_id=OpaqueRef:1")
        #expect(ExportName(parsing: name.text) == name)
        #expect(ExportName(parsing: "/\(Self.uuid)?a=b&session_id=OpaqueRef:1&c") == name)
    }

    @Test(arguments: [
        "", "/", "?", uuid, "/\(uuid)", "/\(uuid)?", "/\(uuid)?session_id=", "/\(uuid)?session=OpaqueRef:1",
        "/../\(uuid)?session_id=OpaqueRef:1", "/\(uuid.uppercased())?session_id=OpaqueRef:1",
        "\(uuid)?session_id=OpaqueRef:1",
    ])
    func otherTextsAreNone(text: String) { #expect(ExportName(parsing: text) == nil) }

    @Test func addressesOfOneLinkAreNotServed() {
        #expect(
            ExportAddress.addresses(ip: "10.0.0.1", ipv6: ["fe80::1/64", "fd00::2/64"]) == ["10.0.0.1", "fd00::2"])
        #expect(ExportAddress.addresses(ip: "", ipv6: []) == [])
    }
}
