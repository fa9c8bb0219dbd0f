import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// SM rows follow the managers that there are.
@Suite struct StorageManagerRowTests {
    private func types(_ bench: StorageBench) -> [String] {
        bench.database.read { $0.rows(SM.self) }.map { $0[SM.type] }.sorted()
    }

    @Test func formatsThatNobodyKnowsAreLeftOutAndToldOnce() async throws {
        let bench = try await StorageBench([
            GatedManager("odd", unknownFormats: ["vmdk4", "zst"]), FileStorageManager(),
        ])
        func alerts() -> [Row] {
            bench.database.read { $0.rows(XenMessage.self) }.filter { $0[XenMessage.name] == "SM_UNKNOWN_IMAGE_FORMAT" }
        }
        let alert = try #require(alerts().first)
        #expect(alert[XenMessage.body].contains("'odd'") && alert[XenMessage.body].contains("vmdk4, zst"))
        #expect(alert[XenMessage.cls] == .host && alert[XenMessage.priority] == 4)
        let row = try #require(bench.database.read { $0.rows(SM.self) { $0[SM.type] == "odd" } }.first)
        #expect(Set(row[SM.supportedImageFormats]) == [.raw, .vhd, .qcow2])
        try await StorageManagerRows.register(bench.context)
        #expect(alerts().count == 1)
        // Another set of them is news.
        bench.context.managers.set(GatedManager("odd", unknownFormats: ["zst"]))
        try await StorageManagerRows.register(bench.context)
        #expect(alerts().count == 2)
    }

    /// Another host of the pool, which is not upgraded yet, knows fewer.
    @Test func aFormatThatThePoolDoesNotPromiseIsNotTaken() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        let manager = try #require(bench.database.read { $0.rows(SM.self) }.first)
        func create(_ format: String?) async -> [String] {
            let config = format.map { ["image-format": APIValue.string($0)] } ?? [:]
            return await bench.refused(
                "VDI.create",
                .record([
                    APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(4 << 20)),
                    APIMember("sm_config", .map(config)),
                ]))
        }
        func promise(_ formats: [ImageFormatType], _ features: [String]) async throws {
            try await bench.database.transaction { tx in
                let ref = manager.typedRef(SM.self)
                try tx.set(ref, SM.supportedImageFormats, formats)
                try tx.set(ref, SM.features, Dictionary(uniqueKeysWithValues: features.map { ($0, 1) }))
            }
        }
        let features = Array(FileStorageManager().info.features.keys)
        try await promise([.vhd, .raw], features)
        let refused = await create("qcow2")
        let uuid = bench.database.read { $0.row(sr)?[SR.uuid] } ?? ""
        let sentence = "Image format qcow2 is not supported by SR \(uuid) (it supports vhd, raw)"
        #expect(refused.first == "VDI_INCOMPATIBLE_TYPE" && refused.last == sentence, "\(refused)")
        #expect(await create("raw") == ["accepted"])
        // What is not promised is not chosen for others either.
        try await promise([.raw], features)
        #expect(await create(nil) == ["accepted"])
        #expect(bench.disks().map { $0[VDI.smConfig]["image-format"] } == ["raw", "raw"])
        // Nothing in common is no leave for the driver to decide.
        try await promise([], features)
        for format in ["qcow2", nil] {
            let refused = await create(format)
            #expect(refused.first == "VDI_INCOMPATIBLE_TYPE")
            #expect(refused.last?.contains("no image format in common") == true)
        }
        #expect(bench.disks().count == 2)
        try await promise([.raw], ["VDI_CREATE"])
        let promised = bench.context.promised(FileStorageManager())
        #expect(promised.supportedImageFormats == [.raw] && promised.features == ["VDI_CREATE": 1])
    }

    /// In the order in which its driver has them.
    @Test func whatARepositoryDoesNotSupportIsToldWithWhatItDoes() async throws {
        let manager = GatedManager("odd", formats: [.raw, .vhd])
        manager.open()
        let bench = try await StorageBench([manager])
        let sr = try await bench.create("odd", [:])
        let uuid = bench.database.read { $0.row(sr)?[SR.uuid] } ?? ""
        let refused = await bench.refused(
            "VDI.create",
            .record([
                APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(4 << 20)),
                APIMember("sm_config", .map(["image-format": .string("qcow2")])),
            ]))
        #expect(refused.count == 3 && refused[0] == "VDI_INCOMPATIBLE_TYPE", "\(refused)")
        #expect(refused.last == "Image format qcow2 is not supported by SR \(uuid) (it supports raw, vhd)")
    }

    /// The row says so, and again when it is over; only a driver that declares nothing decides.
    @Test func hostsWithoutACommonFormatAreNamedInTheRow() async throws {
        let manager = GatedManager("odd", formats: [.vhd])
        manager.open()
        let bench = try await StorageBench([manager])
        let sr = try await bench.create("odd", [:])
        let kind = "sm-formats"
        let other = Fresh.ref(APITypes.Host.self)
        try await bench.database.transaction { tx in
            tx.insert(APITypes.Host.self, ref: other) { $0[APITypes.Host.uuid] = Fresh.uuid() }
            tx.setPrivate(
                kind: kind, key: "odd",
                value: #"{"\#(other.opaque)": ["qcow2"], "\#(bench.context.host.opaque)": ["vhd"]}"#)
        }
        func row() throws -> Row {
            try #require(bench.database.read { $0.rows(SM.self) { $0[SM.type] == "odd" } }.first)
        }
        func create(_ config: [String: APIValue]) async -> String? {
            await bench.refused(
                "VDI.create",
                .record([
                    APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(4 << 20)),
                    APIMember("sm_config", .map(config)),
                ])
            ).first
        }
        try await StorageManagerRows.register(bench.context)
        let uuid = try #require(bench.database.read { $0.row(other) }?.uuid)
        #expect(try row()[SM.supportedImageFormats] == [])
        #expect(try row()[SM.otherConfig]["no-common-image-format"]?.contains("host \(uuid): qcow2") == true)
        #expect(await create([:]) == "VDI_INCOMPATIBLE_TYPE")
        #expect(await create(["image-format": .string("vhd")]) == "VDI_INCOMPATIBLE_TYPE")
        #expect(await create(["image-format": .string("rwa")]) == "VDI_INCOMPATIBLE_TYPE")
        try await bench.database.transaction { tx in tx.delete(other) }
        try await StorageManagerRows.register(bench.context)
        #expect(try row()[SM.supportedImageFormats] == [.vhd])
        #expect(try row()[SM.otherConfig]["no-common-image-format"] == nil)
        bench.context.managers.set(GatedManager("odd", formats: []))
        try await StorageManagerRows.register(bench.context)
        #expect(try row()[SM.supportedImageFormats] == [] && row()[SM.otherConfig].isEmpty)
        // It is asked, and says so itself.
        #expect(await create(["image-format": .string("vhd")])?.hasPrefix("VDI_INCOMPATIBLE") == false)
    }

    @Test func aManagerThatGoesTakesItsRowWithItUnlessAnSRNeedsIt() async throws {
        let (needed, other) = (GatedManager("needed"), GatedManager("other"))
        let bench = try await StorageBench([needed, other])
        needed.open()
        let sr = try await bench.create("needed", [:])
        #expect(types(bench) == ["needed", "other"])
        for manager in [needed, other] { bench.context.managers.remove(type: manager.type) }
        try await StorageManagerRows.register(bench.context)
        #expect(types(bench) == ["needed"])
        #expect(await bench.refused("SR.scan", .ref(sr.opaque)) == ["SR_UNKNOWN_DRIVER", "needed"])
        bench.context.managers.set(other)
        try await StorageManagerRows.register(bench.context)
        #expect(types(bench) == ["needed", "other"])
    }
}
