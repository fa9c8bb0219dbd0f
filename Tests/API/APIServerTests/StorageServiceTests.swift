import Testing

@testable import APIServer

@Suite struct StorageServiceTests {
    @Test func pathsNameADiskInEveryVersion() {
        typealias Wanted = StorageServiceEndpoint.Wanted
        let direct = Wanted("/services/SM/nbd/12/sr/disk.vhd/dp")
        #expect(direct?.repository == "sr" && direct?.disk == "disk.vhd" && direct?.datapath == "dp")
        #expect(direct?.isProxy == false && Wanted("/services/SM/nbd/sr/disk.vhd/dp") == direct)
        let proxy = Wanted("/services/SM/nbdproxy/import/12/sr/disk.vhd/dp")
        #expect(proxy?.isProxy == true && proxy?.disk == "disk.vhd")
        #expect(Wanted("/services/SM/nbdproxy/12/sr/disk.vhd/dp") == proxy)
        for path in [
            "/services/SM", "/services/SM/nbd", "/services/SM/nbd/a/b", "/services/SM/nbd/a/b/c/d/e",
            "/services/SM/nbdproxy/a/b/c", "/services/SM/nbdproxy/export/a/b/c/d", "/services/SM/data/a/b/c",
        ] {
            #expect(Wanted(path) == nil)
        }
        #expect(StorageServiceEndpoint.isStream("/services/SM/nbdproxy/x?session_id=1"))
        #expect(!StorageServiceEndpoint.isStream("/services/SM?x=/nbd") && !StorageServiceEndpoint.isStream("/import"))
    }
}
