import CoreTypes
import DatapathControl

/// A request of a data path that may take hours, such as to compare two images: nobody waits for its answer longer than the
/// move is wanted, or than there is time. Who gives up ends the mirror, and with it the request.
enum LongRequest {
    /// The answer did not come in time.
    struct Late: Error {}

    private enum Event {
        case look
        case answered(Result<Void, any Error>)
    }

    /// Returns when the request is answered. Throws `DatapathClient.Failure`; `CancellationError` within a moment of
    /// `cancellation`, and when who waits is cancelled; `Late` at `deadline`; and what `meanwhile` throws, which is called once
    /// at least, when the request is on its way, and then every now and then.
    static func call(
        _ request: DatapathRequest, of client: DatapathClient, cancellation: CancellationFlag,
        until deadline: ContinuousClock.Instant? = nil, meanwhile: () async throws -> Void = {}
    ) async throws {
        let (events, tell) = AsyncStream.makeStream(of: Event.self)
        tell.yield(.look)
        Task {
            do {
                _ = try await client.call(request)
                tell.yield(.answered(.success(())))
            } catch {
                tell.yield(.answered(.failure(error)))
            }
        }
        let watch = Task {
            var looks = 0
            while !cancellation.isCancelled, deadline.map({ ContinuousClock.now < $0 }) ?? true {
                try await Task.sleep(for: .milliseconds(50))
                looks += 1
                if looks.isMultiple(of: 4) { tell.yield(.look) }
            }
            tell.yield(.answered(.failure(cancellation.isCancelled ? CancellationError() : Late())))
        }
        defer { watch.cancel() }
        for await event in events {
            switch event {
            case .answered(let outcome): return try outcome.get()
            case .look:
                // A look may take its time, and more of them may wait by then.
                if cancellation.isCancelled { throw CancellationError() }
                try await meanwhile()
            }
        }
        throw CancellationError()
    }
}
