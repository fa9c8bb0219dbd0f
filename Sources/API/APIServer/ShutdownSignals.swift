import Dispatch
import Glibc

/// SIGTERM and SIGINT as a value to wait for. From its creation on they no longer end the process by themselves.
final class ShutdownSignals {
    private let names: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (names, report) = AsyncStream.makeStream(of: String.self)
        self.names = names
        sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { report.yield(name) }
            source.resume()
            return source
        }
    }

    /// The name of the first signal that came.
    func next() async -> String {
        for await name in names { return name }
        return "none"
    }
}
