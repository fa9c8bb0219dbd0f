import Dispatch
import Glibc

/// SIGTERM, SIGINT and SIGHUP as values to wait for. From its creation on they no longer end the process by themselves.
final class ShutdownSignals {
    private let names: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (names, report) = AsyncStream.makeStream(of: String.self)
        self.names = names
        sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, Self.reload)].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { report.yield(name) }
            source.resume()
            return source
        }
    }

    /// The signal that does not end the daemon.
    static let reload = "SIGHUP"

    /// The name of the next signal.
    func next() async -> String {
        for await name in names { return name }
        return "none"
    }
}
