import APITypes
import CoreTypes
import DataModel
import Foundation
import TestSupport
import Testing

@Suite struct GeneratedTypesTests {
    @Test(arguments: [([], "APITypes"), (["client"], "XenAPIClient")])
    func theCheckedInFilesAreWhatTheGeneratorWrites(_ command: [String], _ target: String) throws {
        let fresh = try ScratchFolder("generated")
        try Tool.check("datamodel-gen", command + [fresh.path])
        let checkedIn = SourceTree.url("Sources/API/\(target)/Generated")
        let names = try FileManager.default.contentsOfDirectory(atPath: checkedIn.path).sorted()
        #expect(try fresh.contents() == names)
        for name in names {
            let here = try Data(contentsOf: checkedIn.appendingPathComponent(name))
            let there = try Data(contentsOf: URL(fileURLWithPath: fresh.file(name)))
            #expect(here == there, "\(name) is out of date: run scripts/generate.sh")
        }
    }

    @Test func keysAndCodesCarryTheWireNames() {
        #expect(VDI.virtualSize.name == "virtual_size")
        #expect(VDI.vbds.name == "VBDs")
        #expect(SR.className == "SR")
        #expect(XenTask.className == "task")
        #expect(APIErrorCode.vdiInUse == "VDI_IN_USE")
        #expect(Datamodel.all.error(APIErrorCode.srFull)?.parameters == ["requested", "maximum"])
    }

    @Test func enumsAreReadInAnyCaseAndWrittenExactly() {
        #expect(VMPowerState(api: .string("running")) == .running)
        #expect(VMPowerState.running.apiValue == .string("Running"))
        #expect(ImageFormatType(anyCase: "QCOW2") == .qcow2)
        #expect(ImageFormatType(anyCase: "vmdk") == nil)
        for declared in [
            TaskStatusType.allCases.map(\.rawValue): "task_status_type", VBDMode.allCases.map(\.rawValue): "vbd_mode",
        ] {
            #expect(Datamodel.all.enumNamed(declared.value)?.values == declared.key)
        }
    }

    @Test func valuesConvertBothWays() {
        let operations: [String: VDIOperations] = ["OpaqueRef:1": .mirror]
        #expect([String: VDIOperations](api: operations.apiValue) == operations)
        #expect([Ref<VBD>](api: .set([.ref("OpaqueRef:2")])) == [Ref("OpaqueRef:2")])
        #expect([Ref<VBD>](api: .set([.string("OpaqueRef:2")])) == nil)
        #expect(VDIType(api: .string("no such type")) == nil)
    }
}
