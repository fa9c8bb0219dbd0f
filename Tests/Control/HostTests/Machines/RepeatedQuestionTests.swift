import Testing
import XenAPIClient

@testable import Toolstack

/// A link that is cut for a moment while the other side of a move is asked something.
struct RepeatedQuestionTests {
    private let now = ContinuousClock.now
    private let lost = ConnectionError.lost(.tcp(host: "peer", port: 443, tls: true), reason: "closed by the server")

    /// What changes nothing the second time is asked again, some times; anything else may have been done.
    @Test(
        arguments: [
            "check": true, "clone": true, "expect": true, "stand": true, "messages": true, "numbers": true,
            "prepare": false, "offer": false, "run": false,
        ])
    func whatChangesNothingTheSecondTimeIsAskedAgain(_ verb: String, _ isRepeatable: Bool) {
        var question = RepeatedQuestion(verb, until: now + .seconds(60))
        let answers = (0..<4).map { _ in question.isRepeated(after: lost, at: now) }
        #expect(answers == [isRepeatable, isRepeatable, isRepeatable, false])
    }

    /// Who did not get through has asked nothing, and waits by other rules.
    @Test func aSideThatIsNotReachedIsNotAskedAgain() {
        let address = ServerAddress.tcp(host: "peer", port: 443, tls: true)
        var question = RepeatedQuestion("expect", until: now + .seconds(60))
        let isRefused = question.isRepeated(after: .unreachable(address, reason: "refused"), at: now)
        let isBroken = question.isRepeated(after: .status(address, path: "/", status: 500), at: now)
        #expect(!isRefused && !isBroken)
    }

    /// The other side may still work at the first question when the second comes: that is no answer, and only then.
    @Test func theFirstQuestionIsWaitedFor() {
        let busy = ["OTHER_OPERATION_IN_PROGRESS", "move", "4c2f", "migrate_send", ""]
        var question = RepeatedQuestion("expect", until: now + .seconds(60))
        #expect(!question.isRepeated(after: busy, at: now))
        let isRepeated = question.isRepeated(after: lost, at: now)
        #expect(isRepeated && question.isRepeated(after: busy, at: now))
        #expect(!question.isRepeated(after: ["OTHER_OPERATION_IN_PROGRESS", "VM", "4c2f"], at: now))
        #expect(!question.isRepeated(after: ["VM_MIGRATE_FAILED", "vm", "here", "there", "no memory"], at: now))
        #expect(!question.isRepeated(after: busy, at: now + .seconds(60)))
    }

    /// Asking often does not make a silent side's time longer.
    @Test func allAnswersHaveOneDeadline() {
        var question = RepeatedQuestion("clone", until: now + .seconds(60))
        #expect(question.limit(at: now + .seconds(20)) == .seconds(40))
        #expect(question.limit(at: now + .seconds(61)) == .zero)
        let isLate = question.isRepeated(after: lost, at: now + .seconds(60))
        #expect(!isLate)
    }
}
