import XenAPIClient

/// Carries a plan out, a case after the other, and leaves nothing behind.
struct QuickRun: Sendable {
    let session: XenAPISession
    /// Of another pool, where some cases move VMs to.
    var other: XenAPISession?
    let settings: BenchSettings
    /// How long one case may take.
    let limit: Duration
    /// Takes a line for people.
    let say: @Sendable (String) -> Void

    private static let unlicensed = ["LICENCE_RESTRICTION", "FEATURE_RESTRICTED"]
    /// What a storage manager answers that cannot do something with this kind of disk: a lack, and no failure.
    private static let unimplemented = ["UNIMPLEMENTED_IN_SM_BACKEND", "SR_OPERATION_NOT_SUPPORTED"]

    /// A Swift task that is cancelled ends the run: what was made is removed, and the report says that it was broken off.
    func carryOut(_ plan: [PlannedCase]) async -> RunReport {
        var report = RunReport()
        for planned in plan {
            let result = await Task.isCancelled ? Self.brokenOff(planned) : carryOut(planned)
            say(result.line)
            report.results.append(result)
        }
        if Task.isCancelled {
            report.results.append(CaseResult(name: "run", outcome: .failed("it was broken off"), seconds: 0))
        }
        for each in [session, other].compactMap({ $0 }) {
            guard let failure = await leftovers(each) else { continue }
            report.results.append(failure)
            say(failure.line)
        }
        return report
    }

    private static func brokenOff(_ planned: PlannedCase) -> CaseResult {
        CaseResult(name: planned.test.name, outcome: .skipped(planned.skip ?? "the run was broken off"), seconds: 0)
    }

    private func carryOut(_ planned: PlannedCase) async -> CaseResult {
        let name = planned.test.name
        if let skip = planned.skip { return CaseResult(name: name, outcome: .skipped(skip), seconds: 0) }
        let clock = ContinuousClock()
        let began = clock.now
        let bench = DiskBench(session, settings, other: other.map { DiskBench($0, settings) })
        var outcome = CaseResult.Outcome.passed
        do {
            try await Self.within(limit) { try await planned.test.body(bench) }
        } catch let skip as Skip {
            outcome = .skipped(skip.description)
        } catch let failure as XenAPIFailure where Self.unlicensed.contains(failure.code) {
            outcome = .skipped("the endpoint's licence does not include it (\(failure))")
        } catch let failure as XenAPIFailure where Self.unimplemented.contains(failure.code) {
            outcome = .skipped("the storage manager cannot do it (\(failure))")
        } catch is CancellationError {
            outcome = .failed("it was broken off")
        } catch {
            outcome = .failed("\(error)")
        }
        // By another Swift task: this one may be cancelled, and then its calls are not made.
        let reasons = await Task { await bench.clear() }.value
        if !reasons.isEmpty {
            let before = if case .failed(let reason) = outcome { [reason] } else { [String]() }
            outcome = .failed((before + reasons).joined(separator: "; "))
        }
        let seconds = began.duration(to: clock.now) / .seconds(1)
        return CaseResult(name: name, outcome: outcome, seconds: seconds)
    }

    /// Disks of this run that no case knew of, as after calls whose answer did not come. Nil when all are gone.
    private func leftovers(_ session: XenAPISession) async -> CaseResult? {
        let mark = settings.mark
        do {
            let swept = try await Task { try await Removal.sweep(mark, session) }.value
            guard !swept.reasons.isEmpty else { return nil }
            return CaseResult(
                name: "removal", outcome: .failed(swept.reasons.joined(separator: "; ")), seconds: 0)
        } catch {
            return CaseResult(
                name: "removal", outcome: .failed("what is left cannot be looked for: \(error)"), seconds: 0)
        }
    }

    private static func within(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Mismatch("not done after \(limit)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
