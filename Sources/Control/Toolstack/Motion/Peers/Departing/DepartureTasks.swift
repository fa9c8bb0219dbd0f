import APITypes
import Logging
import PoolDatabase
import StorageMotion

/// The tasks of machines that went to other pools when the toolstack was restarted: under their old references, until it is known
/// how the moves have ended.
actor DepartureTasks {
    private enum Course {
        /// Tasks are not served yet.
        case expected(MoveCall)
        case ended(MoveCall, Result<String, APIError>)
        case shown(RunningTask, Tasks)

        var call: MoveCall? {
            switch self {
            case .expected(let call), .ended(let call, _): call
            case .shown: nil
            }
        }
    }

    /// By their moves.
    private var courses: [String: Course] = [:]

    /// A record of an earlier toolstack.
    func expect(_ machine: DepartingMachine, at host: Ref<Host>) async {
        guard let call = machine.call else { return }
        courses[machine.id] = .expected(call)
        await look(machine, at: host)
    }

    /// The task of the move comes back, or has and has not ended.
    func isExpected(_ id: String) -> Bool { courses[id] != nil }

    /// Something of the move has changed: its task ends with it.
    func look(_ machine: DepartingMachine, at host: Ref<Host>) async {
        guard let course = courses[machine.id], let outcome = machine.outcome(at: host) else { return }
        switch course {
        case .expected(let call): courses[machine.id] = .ended(call, outcome)
        case .ended: break
        case .shown(let task, let tasks):
            courses[machine.id] = nil
            await Self.finish(task, outcome, tasks)
        }
    }

    /// Calls are served from now on. What is decided cannot be cancelled any more, and the rest was given up.
    func takeUp(_ tasks: Tasks, _ logger: Logger) async {
        for id in courses.keys.sorted() {
            guard let call = courses[id]?.call else { continue }
            do {
                let task = try await tasks.restore(call, isCancellable: false)
                // It may have ended meanwhile.
                if case .ended(_, let outcome) = courses[id] {
                    courses[id] = nil
                    await Self.finish(task, outcome, tasks)
                } else {
                    courses[id] = .shown(task, tasks)
                }
            } catch {
                courses[id] = nil
                logger.error(
                    "the task of a move to another pool cannot be shown",
                    metadata: ["task": "\(call.task)", "error": "\(error)"])
            }
        }
    }

    private static func finish(_ task: RunningTask, _ outcome: Result<String, APIError>, _ tasks: Tasks) async {
        if case .success = outcome { task.annotate(["phase": "done"]) }
        await tasks.finish(task, outcome.map { .ref($0) }, keep: true)
    }
}
