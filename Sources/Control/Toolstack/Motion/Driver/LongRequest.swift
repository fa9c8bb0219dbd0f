import CoreTypes
import DatapathControl

/// A request of a data path that may take hours, such as to compare two images: nobody waits for its answer longer than the
/// move is wanted, or than there is time. Who gives up ends the mirror, and with it the request.
enum LongRequest {
    /// The answer did not come in time.
    struct Late: Error {}

    /// Returns when the request is answered. Throws `DatapathClient.Failure`; `CancellationError` within a moment of
    /// `cancellation`, and when who waits is cancelled; `Late` at `deadline`.
    static func call(
        _ request: DatapathRequest, of client: DatapathClient, cancellation: CancellationFlag,
        until deadline: ContinuousClock.Instant? = nil
    ) async throws {
        let (ends, end) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        Task {
            do {
                _ = try await client.call(request)
                end.yield(.success(()))
            } catch {
                end.yield(.failure(error))
            }
        }
        let watch = Task {
            while !cancellation.isCancelled, deadline.map({ ContinuousClock.now < $0 }) ?? true {
                try await Task.sleep(for: .milliseconds(50))
            }
            end.yield(.failure(cancellation.isCancelled ? CancellationError() : Late()))
        }
        defer { watch.cancel() }
        for await outcome in ends { return try outcome.get() }
        throw CancellationError()
    }
}
