import Foundation
import Logging
import RPCCodec
import StorageInterface

/// Runs the calls of one SMAPIv1 driver, each with a session of its own for the driver's calls back.
struct DriverRunner: Sendable {
    /// Absolute path.
    let program: String
    let settings: PluginSettings
    let home: any PluginHome
    let logger: Logger
    /// `sr_attach`, `sr_detach` and `sr_probe` of all drivers of a host come one after the other.
    let attaching: CallQueue

    func run(_ call: DriverCall) async throws(StorageError) -> DriverAnswer {
        do {
            try await home.untilAPIAnswers()
            if call.command != "sr_attach", let repository = call.repository?.ref, call.namesRepository {
                try await home.untilRepositoryIsBack(repository)
            }
        } catch {
            throw StorageError(.general, "\(call.command) was cancelled before the API answered")
        }
        let session: String
        do {
            session = try await home.openSession(repository: call.repository?.ref ?? "")
        } catch {
            throw StorageError(.general, "no session could be made for a storage driver: \(error)")
        }
        let isQueued = ["sr_attach", "sr_detach", "sr_probe"].contains(call.command)
        let turn = isQueued ? await attaching.enter() : nil
        let outcome = await run(
            call.document(host: home.host, session: session, task: home.task, localCache: home.localCache),
            command: call.command, limits: settings.limits, isWork: true)
        if let turn { attaching.leave(turn) }
        await home.closeSession(session)
        return DriverAnswer(command: call.command, outcome: outcome, limits: settings.limits)
    }

    /// The driver's description of itself: before there is a session, an SR or an API.
    func describe(type: String) async -> Result<DriverDescription, DriverDescription.Misshapen> {
        var limits = settings.limits
        limits.time = min(limits.time, settings.questionTime)
        let call = DriverCall(command: "sr_get_driver_info")
        let outcome = await run(
            call.document(host: home.host, session: nil), command: call.command, limits: limits, isWork: false)
        let value: WireValue
        do {
            value = try DriverAnswer(command: call.command, outcome: outcome, limits: limits).value()
        } catch {
            let complaint = String(decoding: outcome.errors.suffix(1024), as: UTF8.self)
            return .failure(DriverDescription.Misshapen(description: "\(error)", complaint: complaint))
        }
        return DriverDescription.read(value, type: type, program: program)
    }

    private func run(
        _ document: String, command: String, limits: PluginLimits, isWork: Bool
    ) async -> PluginOutcome {
        let begin = ContinuousClock.now
        let outcome = await PluginProcess.run(
            settings.command(program, [document], callsBack: true, isRecorded: isWork), limits: limits)
        logger.debug(
            "ran a storage driver",
            metadata: [
                "program": "\(program)", "command": "\(command)", "ending": "\(outcome.ending)",
                "time": "\(ContinuousClock.now - begin)",
            ])
        return outcome
    }
}
