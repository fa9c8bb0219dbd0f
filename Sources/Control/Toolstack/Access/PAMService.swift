import APITypes
import CPAM
import Foundation
import Synchronization

/// The accounts of the machine, through PAM. A conversation has a thread of its own: modules may wait for networks. Usable
/// from anywhere.
public final class PAMService: Sendable {
    private let name: String
    private let folder: String?
    private let patience: Duration
    private let running = Mutex(0)

    /// How many conversations may be under way.
    static let mostRunning = 8

    /// `name` is that of a file in /etc/pam.d, or in `folder` when one is given.
    public init(name: String, folder: String? = nil, patience: Duration = .seconds(60)) {
        self.name = name
        self.folder = folder
        self.patience = patience
    }

    /// Whether PAM takes these for an account that may be used now. Throws TOO_BUSY when too many conversations are under
    /// way. One that takes longer than the patience is answered with no; its thread ends when PAM does.
    func admits(user: String, password: String) async throws -> Bool {
        guard !user.isEmpty, !user.utf8.contains(0), !password.utf8.contains(0) else { return false }
        let isAdmitted = running.withLock { count in
            guard count < Self.mostRunning else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw APIError("TOO_BUSY") }
        let answer = Answer()
        let timeout = Task { [patience] in
            try await Task.sleep(for: patience)
            answer.give(false)
        }
        defer { timeout.cancel() }
        return await withCheckedContinuation { continuation in
            answer.expect(continuation)
            Thread.detachNewThread { [self] in
                let isRight = ask(user: user, password: password)
                running.withLock { $0 -= 1 }
                answer.give(isRight)
            }
        }
    }

    private func ask(user: String, password: String) -> Bool {
        var reason = [CChar](repeating: 0, count: 256)
        // SAFETY: the strings and the buffer live as long as the call.
        return unsafe gantry_pam_check(name, folder, user, password, &reason, reason.count) == 0
    }

    /// Resumes its continuation once, whoever is first.
    private final class Answer: Sendable {
        private let state = Mutex<(continuation: CheckedContinuation<Bool, Never>?, isGiven: Bool)>((nil, false))

        func expect(_ continuation: CheckedContinuation<Bool, Never>) {
            let isLate = state.withLock { state in
                if !state.isGiven { state.continuation = continuation }
                return state.isGiven
            }
            if isLate { continuation.resume(returning: false) }
        }

        func give(_ value: Bool) {
            let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                state.isGiven = true
                defer { state.continuation = nil }
                return state.continuation
            }
            waiting?.resume(returning: value)
        }
    }
}
