import Foundation
import Logging
import RPCCodec
import StorageInterface

/// Runs the scripts of SMAPIv3 plugins: `<script> --json`, named arguments as a JSON object on standard input, the bare
/// JSON result or an error object on standard output.
struct ScriptRunner: Sendable {
    let settings: PluginSettings
    let logger: Logger
    /// Returns when what an earlier toolstack's runs were doing is over. Before that nothing but questions is run.
    var untilQuiet: @Sendable () async throws -> Void = {}

    /// - Parameter arguments: without `dbg`, which every call has.
    func call(
        _ method: String, in folder: ScriptFolder, _ arguments: [WireMember] = [], limits: PluginLimits? = nil
    ) async throws(StorageError) -> WireValue {
        let isQuestion = method.hasPrefix("Plugin.")
        if !isQuestion {
            do {
                try await untilQuiet()
            } catch {
                throw StorageError(
                    .general, "\(method) was cancelled before the runs of an earlier toolstack had ended")
            }
        }
        let program = try Self.program(method, in: folder)
        let limits = limits ?? settings.limits
        let members = [WireMember("dbg", .string("gantry \(method)"))] + arguments
        let begin = ContinuousClock.now
        let outcome = await PluginProcess.run(
            settings.command(
                program, ["--json"], callsBack: false, input: Array(JSONText.encode(.structure(members)).utf8),
                isRecorded: !isQuestion),
            limits: limits)
        logger.debug(
            "ran a storage plugin",
            metadata: [
                "program": "\(program)", "ending": "\(outcome.ending)", "time": "\(ContinuousClock.now - begin)",
            ])
        return try ScriptAnswer(method: method, program: program, outcome: outcome, limits: limits).value()
    }

    /// The folder is looked at again when it did not have the method.
    private static func program(_ method: String, in folder: ScriptFolder) throws(StorageError) -> String {
        var script = folder.script(method)
        if case .program = script {} else { script = ScriptFolder(path: folder.path)?.script(method) ?? .missing }
        switch script {
        case .program(let program): return program
        case .missing:
            let path = "\(folder.path)/\(method)"
            throw StorageError(
                .unimplemented, "the storage plugin has no script \(path)",
                apiError: ["SCRIPT_MISSING", path, "Check whether the file exists and has correct permissions"])
        case .notExecutable(let path):
            throw StorageError(
                .general, "the script \(path) of the storage plugin is not executable",
                apiError: ["SCRIPT_NOT_EXECUTABLE", path, "Check whether the file has correct permissions"])
        }
    }
}
