import Synchronization

/// Shows how far a long operation is. On a terminal one line is redrawn in place; elsewhere a plain line appears at
/// every tenth of the way, at every new phase and at least every `plainInterval`. May be fed from any thread or task.
public final class ProgressBar: Sendable {
    private struct State {
        var started: ContinuousClock.Instant?
        var lastShown: ContinuousClock.Instant?
        var lastTenth = -1
        var lastPhase = ""
        var drawnWidth = 0
        var barLimit = 32
        var rate = RateMeter()
        var last: ProgressReading?
        var lastShownReading: ProgressReading?
        var isFinished = false
    }

    private let output: TerminalOutput
    private let label: String
    private let plainInterval: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - label: what is being done; printed before the bar.
    ///   - plainInterval: the longest silence when the output is no terminal.
    public init(label: String = "", output: TerminalOutput = .standardError, plainInterval: Duration = .seconds(5)) {
        self.label = label
        self.output = output
        self.plainInterval = plainInterval
    }

    /// Takes a sample. On a terminal at most ten a second are drawn, but the last of each phase and 100 % always are.
    public func update(_ reading: ProgressReading, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            guard !state.isFinished else { return }
            let started = state.started ?? now
            state.started = started
            state.last = reading
            if let done = reading.doneBytes { state.rate.sample(bytes: done, at: now) }
            guard isDue(reading, now, state) else { return }
            show(reading, now: now, started: started, &state)
        }
    }

    /// Ends the line. With `completed`, 100 % is shown first (the last sample may be older than the end).
    public func finish(completed: Bool = true, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            if var reading = state.last {
                if completed {
                    reading.fraction = 1
                    reading.timeLeft = .unsaid
                    if let total = reading.totalBytes, reading.doneBytes != nil { reading.doneBytes = total }
                }
                // A log that ends with the end already has its last line.
                if output.isTerminal || state.lastShownReading != reading {
                    show(reading, now: now, started: state.started ?? now, &state)
                }
            }
            if output.isTerminal, state.drawnWidth > 0 { output.write("\n") }
        }
    }

    private func isDue(_ reading: ProgressReading, _ now: ContinuousClock.Instant, _ state: State) -> Bool {
        guard let lastShown = state.lastShown else { return true }
        if reading.phase != state.lastPhase { return true }
        if output.isTerminal {
            return now - lastShown >= .milliseconds(100) || (reading.fraction >= 1 && state.lastTenth < 10)
        }
        return Int(reading.fraction * 10) > state.lastTenth || now - lastShown >= plainInterval
    }

    private func show(
        _ reading: ProgressReading, now: ContinuousClock.Instant, started: ContinuousClock.Instant, _ state: inout State
    ) {
        let rate = reading.bytesPerSecond ?? state.rate.bytesPerSecond
        let line = ProgressLine(
            label: label, reading: reading, rate: rate,
            secondsLeft: secondsLeft(reading, rate: rate, elapsed: (now - started).inSeconds))
        if output.isTerminal {
            let columns = output.columns
            // The bar only ever gets shorter: one that moved with every figure could not be read.
            let limit = max(8, line.barWidth(columns: columns, limit: state.barLimit))
            state.barLimit = limit
            let bare = line.text(columns: columns, barLimit: limit, colour: false)
            let text = output.usesColour ? line.text(columns: columns, barLimit: limit, colour: true) : bare
            let erase = String(repeating: " ", count: max(0, min(columns - 1, state.drawnWidth) - bare.count))
            output.write("\r\(text)\(erase)")
            state.drawnWidth = bare.count
        } else {
            output.write(line.plainText + "\n")
        }
        state.lastShown = now
        state.lastShownReading = reading
        state.lastTenth = Int(reading.fraction * 10)
        state.lastPhase = reading.phase
    }

    private func secondsLeft(_ reading: ProgressReading, rate: Double?, elapsed: Double) -> Double? {
        if case .said(let seconds) = reading.timeLeft { return seconds }
        if let rate, rate > 0, let done = reading.doneBytes, let total = reading.totalBytes, total >= done {
            return Double(total - done) / rate
        }
        guard reading.fraction > 0.01, elapsed > 1 else { return nil }
        return elapsed * (1 - reading.fraction) / reading.fraction
    }
}

extension Duration {
    /// Seconds with a fraction.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
