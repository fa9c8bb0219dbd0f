/// Whether and how long a client waits for a server that has gone away.
public struct ReconnectPolicy: Sendable {
    /// How long requests wait in one outage, in nanoseconds; then every call fails for good.
    public var patience: UInt64
    /// Most bytes of acknowledged data kept until a flush has covered them; when there is more, the client flushes by itself.
    public var memory: Int

    public init(seconds: Double, memory: Int = 32 << 20) {
        patience = UInt64(max(0, min(seconds, 1e9)) * 1e9)
        self.memory = max(memory, 1 << 20)
    }
}
