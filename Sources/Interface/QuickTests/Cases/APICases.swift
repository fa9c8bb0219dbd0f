import APITypes
import RPCCodec
import XenAPIClient

/// Events and asynchronous calls, once for each repository, in the format that it chooses.
enum APICases {
    static func all(on repository: RepositoryFacts) -> [QuickCase] {
        let place = Place(repository: repository, format: nil)
        return [
            QuickCase(name: "event.from [\(place)]", needs: []) { try await events($0, place) },
            QuickCase(name: "Async.VDI.create [\(place)]", needs: []) { try await asyncCalls($0, place) },
        ]
    }

    /// A disk that is made, changed and removed is told of, in this order.
    private static func events(_ bench: DiskBench, _ place: Place) async throws {
        let start = try await batch(bench, after: "", seconds: 1)
        let disk = try await bench.makeDisk(at: place)
        var token = start.token
        try await waitFor(["add", "mod"], of: disk, bench, &token)
        try await bench.session.vdi.setNameDescription(disk, value: "changed")
        try await waitFor(["mod"], of: disk, bench, &token)
        try await bench.destroy(disk)
        try await waitFor(["del"], of: disk, bench, &token)
    }

    /// Reads on until the disk's event is one of `operations`.
    private static func waitFor(
        _ operations: [String], of disk: Ref<VDI>, _ bench: DiskBench, _ token: inout String
    ) async throws {
        // A server that does not wait would be asked without end: the case's time ends it, and each round has a pause.
        while true {
            let news = try await batch(bench, after: token, seconds: 10)
            token = news.token
            let told = news.events.filter { $0.member("ref")?.text == disk.opaque }
            if let last = told.last?.member("operation")?.text, operations.contains(last) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func batch(
        _ bench: DiskBench, after token: String, seconds: Double
    ) async throws -> (events: [WireValue], token: String) {
        let answer = try await bench.session.call(
            "event.from", [.array([.string("vdi")]), .string(token), .double(seconds)])
        guard let next = answer.member("token")?.text, !next.isEmpty, let events = answer.member("events")?.items else {
            throw Mismatch("event.from answered without events or token")
        }
        return (events, next)
    }

    /// A task ends with the reference, a progress of 1 and nothing left; one that fails says why.
    private static func asyncCalls(_ bench: DiskBench, _ place: Place) async throws {
        let making = try await bench.session.vdi.asyncCreate(bench.wish(at: place))
        var last: TaskStatus?
        for try await status in making.progress { last = status }
        let disk = try await bench.adopt(try await making.value)
        try Mismatch.unless(last?.status == "success", "the task ended as '\(last?.status ?? "")'")
        try Mismatch.unless(last?.progress == 1, "the finished task's progress is \(last?.progress ?? -1)")
        try await bench.session.vdi.asyncDestroy(disk).finish()
        do {
            try await bench.session.vdi.asyncResize(disk, size: Int64(bench.settings.diskSize)).finish()
        } catch let failure as XenAPIFailure {
            try Mismatch.unless(
                failure.code == "HANDLE_INVALID", "resizing a disk that is gone fails with \(failure)")
            return
        }
        throw Mismatch("resizing a disk that is gone succeeds")
    }
}
