import ArgumentParser
import Dispatch
import Foundation
import ImageCommands
import StoragePlugins
import Synchronization

struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Work on third-party storage drivers.",
        subcommands: [PluginCheckCommand.self])
}

struct PluginCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check whether a storage driver keeps to its interface.",
        discussion: """
            DRIVER is a folder of SMAPIv3 volume scripts or the file of a SMAPIv1 driver. With --device-config a v3 \
            plugin's SR and volumes are made, used and destroyed at that place: use one that holds nothing. The exit \
            status is 0 when nothing failed, else 1.
            """)

    @Argument(help: "The plugin's folder, or the driver's file.")
    var driver: String
    @Option(name: .long, help: "key=value of the test SR's device_config; may be given again.")
    var deviceConfig: [String] = []
    @Option(name: .long, help: "Folder of datapath plugins; by default datapath beside the folder that DRIVER is in.")
    var datapath: String?
    @Option(name: .long, help: "Folder where the plugin keeps what it measures.")
    var metricsDir: String = PluginSettings.metricsFolder
    @Option(name: .long, help: "Seconds that one call may take.")
    var timeLimit = 60
    @Flag(name: .long, help: "Print the findings as JSON.")
    var json = false

    func validate() throws {
        guard (1...86_400).contains(timeLimit) else { throw ValidationError("--time-limit is 1 to 86400 seconds") }
        guard deviceConfig.allSatisfy({ $0.contains("=") }) else {
            throw ValidationError("--device-config takes key=value")
        }
    }

    func run() throws {
        var check = PluginCheck(path: URL(fileURLWithPath: driver).standardizedFileURL.path)
        check.datapaths = datapath.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        check.metricsFolder = URL(fileURLWithPath: metricsDir).standardizedFileURL.path
        check.limits.time = .seconds(timeLimit)
        if !deviceConfig.isEmpty {
            check.configuration = Dictionary(
                deviceConfig.map { pair in
                    let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    return (String(parts[0]), String(parts[1]))
                }, uniquingKeysWith: { $1 })
        }
        let findings = Self.wait(for: check)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(findings), as: UTF8.self))
        } else {
            for finding in findings {
                print("\(finding.outcome.rawValue)  \(finding.check)")
                if !finding.reason.isEmpty { print("        \(finding.reason)") }
            }
            let failed = findings.count { $0.outcome == .failed }
            print("\(findings.count - failed) of \(findings.count) checks did not fail")
        }
        if findings.contains(where: { $0.outcome == .failed }) { throw ExitCode(1) }
    }

    /// The calling thread waits.
    private static func wait(for check: PluginCheck) -> [PluginFinding] {
        let done = DispatchSemaphore(value: 0)
        let findings = Mutex<[PluginFinding]>([])
        Task {
            let found = await check.run()
            findings.withLock { $0 = found }
            done.signal()
        }
        done.wait()
        return findings.withLock { $0 }
    }
}
