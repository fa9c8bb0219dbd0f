import CoreTypes
import Testing

@Suite struct NBDLocationTests {
    @Test func aLocationIsReadFromItsURI() {
        #expect(NBDLocation(parsing: "nbd://host/name") == .tcp(host: "host", port: 10809, export: "name"))
        #expect(NBDLocation(parsing: "nbd://10.0.0.1:99") == .tcp(host: "10.0.0.1", port: 99, export: ""))
        #expect(NBDLocation(parsing: "nbd://[::1]:99/a%20b/c") == .tcp(host: "::1", port: 99, export: "a b/c"))
        #expect(NBDLocation(parsing: "nbd://[fe80::1]/") == .tcp(host: "fe80::1", port: 10809, export: ""))
        #expect(NBDLocation(parsing: "nbd+unix:///disk?socket=/run/a%3Fb") == .unix(socket: "/run/a?b", export: "disk"))
        #expect(NBDLocation(parsing: "nbd+unix:///?x=y&socket=/s") == .unix(socket: "/s", export: ""))
    }

    @Test(arguments: [
        "", "/path", "nbd:unix:/s", "nbd://", "nbd:///name", "nbd://host:0/a", "nbd://host:70000/a", "nbd://u@host/a",
        "nbd://host/a?b=c", "nbd://host/%4", "nbd://host/%zz", "nbd+unix:///disk", "nbd+unix:///disk?socket=",
        "nbd+unix://host/disk?socket=/s", "nbds://host/a", "nbd://host/%ff",
    ])
    func otherTextIsNone(_ text: String) {
        #expect(NBDLocation(parsing: text) == nil)
    }
}
