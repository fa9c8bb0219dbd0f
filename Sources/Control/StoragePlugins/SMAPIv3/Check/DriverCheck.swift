import Foundation
import RPCCodec
import StorageInterface

/// What can be said of a SMAPIv1 driver without a toolstack that it could call back.
struct DriverCheck {
    let path: String
    let settings: PluginSettings

    func run() async -> [PluginFinding] {
        var report = CheckReport()
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        await report.check("the file is named <TYPE>SR") {
            guard name.hasSuffix("SR"), name.count > 2 else { throw CheckReport.Failure(description: "it is \(name)") }
        }
        let isProgram: Void? = await report.check("the file is executable") {
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw CheckReport.Failure(description: "chmod +x \(path)")
            }
        }
        guard isProgram != nil else { return report.findings }
        let description = await report.check("sr_get_driver_info says what it is") {
            let value = try await call("sr_get_driver_info").value()
            switch DriverDescription.read(value, type: String(name.dropLast(2)).lowercased(), program: path) {
            case .success(let description): return description
            case .failure(let reason): throw reason
            }
        }
        if let description {
            await report.check("its capabilities and image formats are known ones") {
                let unknown = description.warnings + description.info.unknownImageFormats.map { "image format \($0)" }
                if !unknown.isEmpty { throw CheckReport.Failure(description: unknown.joined(separator: "; ")) }
            }
            await report.check("it can attach, make and delete disks") {
                let lacking = ["VDI_CREATE", "VDI_DELETE", "VDI_ATTACH", "VDI_DETACH"]
                    .filter { description.info.features[$0] == nil }
                if !lacking.isEmpty {
                    throw CheckReport.Failure(description: "no capability \(lacking.joined(separator: ", "))")
                }
            }
        }
        await report.check("an unknown call is answered with a fault and exit status 0") {
            do throws(StorageError) {
                _ = try await call("gantry_no_such_call").value()
            } catch {
                // Faults have a number of the driver's; what is no answer is an SR_BACKEND_FAILURE.
                if error.apiError?.first == "SR_BACKEND_FAILURE" { throw error }
                return
            }
            throw CheckReport.Failure(description: "it was answered as if it was known")
        }
        report.skip("its SRs and VDIs live", "SMAPIv1 drivers call the toolstack back; use the driver with gantryd")
        return report.findings
    }

    private func call(_ command: String) async -> DriverAnswer {
        let document = DriverCall(command: command).document(host: "OpaqueRef:NULL", session: nil)
        let outcome = await PluginProcess.run(
            settings.command(path, [document], callsBack: true, isRecorded: false), limits: settings.limits)
        return DriverAnswer(command: command, outcome: outcome, limits: settings.limits)
    }
}
