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

    @Test func aLocationInTLSNamesItsCertificates() {
        let far = NBDLocation.tcp(host: "host", port: 99, export: "a/b")
        #expect(
            NBDLocation(parsing: "nbds://host:99/a%2Fb?tls-certificates=/etc/k%20s")
                == .secured(far, folder: "/etc/k s", peerName: nil))
        #expect(
            NBDLocation(parsing: "nbds+unix:///d?tls-hostname=n&socket=/s&tls-certificates=/k")
                == .secured(.unix(socket: "/s", export: "d"), folder: "/k", peerName: "n"))
    }

    @Test(arguments: [
        "", "/path", "nbd:unix:/s", "nbd://", "nbd:///name", "nbd://host:0/a", "nbd://host:70000/a", "nbd://u@host/a",
        "nbd://host/a?b=c", "nbd://host/%4", "nbd://host/%zz", "nbd+unix:///disk", "nbd+unix:///disk?socket=",
        "nbd+unix://host/disk?socket=/s", "nbds://host/a", "nbd://host/%ff",
        "nbds://host/a?tls-certificates=", "nbds://host/a?tls-certificates=k", "nbds:///a?tls-certificates=/k",
        "nbds://host/a?tls-certificates=/k&tls-verify-peer=false", "nbds://host/a?tls-psk-file=/k&tls-certificates=/k",
        "nbds://host/a?tls-certificates=/k&tls-hostname=", "nbds+unix:///a?tls-certificates=/k", "nbdsx://host/a",
        "nbd://host/a?tls-certificates=/k",
    ])
    func otherTextIsNone(_ text: String) {
        #expect(NBDLocation(parsing: text) == nil)
    }
}
