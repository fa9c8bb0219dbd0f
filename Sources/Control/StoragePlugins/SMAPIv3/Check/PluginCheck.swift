import Foundation
import Logging
import RPCCodec
import StorageInterface

/// One thing that was checked.
public struct PluginFinding: Codable, Hashable, Sendable {
    public enum Outcome: String, Codable, Sendable {
        case passed, failed, skipped
    }

    public let check: String
    public let outcome: Outcome
    /// Why it failed or was not checked; empty when it passed.
    public let reason: String
}

/// Checks whether a third-party driver keeps to its interface: a folder of SMAPIv3 volume scripts, or the file of a
/// SMAPIv1 driver. With a place to work on, a v3 plugin's SR and volumes are made, used and destroyed there.
public struct PluginCheck: Sendable {
    /// Absolute.
    public var path: String
    /// Folder of the datapath plugins; nil: `../../datapath` seen from a v3 plugin.
    public var datapaths: String?
    /// Where it keeps what it measures.
    public var metricsFolder = PluginSettings.metricsFolder
    /// What a test SR is made with; nil: nothing is made.
    public var configuration: [String: String]?
    /// For one call.
    public var limits: PluginLimits

    public init(
        path: String, datapaths: String? = nil, configuration: [String: String]? = nil,
        limits: PluginLimits = PluginLimits(time: .seconds(60), output: 64 << 20)
    ) {
        self.path = path
        self.datapaths = datapaths
        self.configuration = configuration
        self.limits = limits
    }

    /// All findings, in the order of the checks.
    public func run() async -> [PluginFinding] {
        let type = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
        guard let type else {
            return [PluginFinding(check: "the driver is there", outcome: .failed, reason: "there is no \(path)")]
        }
        let settings = PluginSettings(limits: limits, questionTime: limits.time)
        let runner = ScriptRunner(
            settings: settings, logger: Logger(label: "check", factory: { _ in SwiftLogNoOpLogHandler() }))
        if type == .typeRegular || type == .typeSymbolicLink {
            return await DriverCheck(path: path, settings: settings).run()
        }
        var check = ScriptCheck(plugin: self, runner: runner)
        await check.run()
        return check.report.findings
    }
}

/// Collects findings.
struct CheckReport {
    private(set) var findings: [PluginFinding] = []

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Nil when it failed.
    @discardableResult mutating func check<T>(_ name: String, _ body: () async throws -> T) async -> T? {
        do {
            let value = try await body()
            findings.append(PluginFinding(check: name, outcome: .passed, reason: ""))
            return value
        } catch let error as StorageError {
            let details = error.details.isEmpty ? "" : "; standard error: \(error.details.prefix(1000))"
            findings.append(PluginFinding(check: name, outcome: .failed, reason: error.message + details))
        } catch {
            findings.append(PluginFinding(check: name, outcome: .failed, reason: "\(error)"))
        }
        return nil
    }

    mutating func skip(_ name: String, _ reason: String) {
        findings.append(PluginFinding(check: name, outcome: .skipped, reason: reason))
    }
}
