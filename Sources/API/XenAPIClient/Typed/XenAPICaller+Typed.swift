import APITypes
public import RPCCodec

/// The one way that every typed message takes.
extension XenAPICaller {
    /// Calls `method` and reads its value. `defaults` are the values of the last parameters that the server assumes when
    /// they are left out: those that are equal to them are not sent, so that servers which do not have them yet
    /// understand the call.
    public func invoke<Value: WireReadable>(
        _ method: String, _ parameters: [WireValue], defaults: [WireValue] = []
    ) async throws -> Value {
        let wire = try await call(method, Self.needed(parameters, defaults))
        do { return try Value(wire: wire) } catch { throw error.inside(method) }
    }

    /// Calls `method`, whatever it answers.
    public func perform(_ method: String, _ parameters: [WireValue], defaults: [WireValue] = []) async throws {
        _ = try await call(method, Self.needed(parameters, defaults))
    }

    /// Calls `Async.<method>`, whose task is the answer.
    public func launch<Value: WireReadable>(
        _ method: String, _ parameters: [WireValue], defaults: [WireValue] = []
    ) async throws -> XenTaskHandle<Value> {
        let ref: Ref<XenTask> = try await invoke("Async.\(method)", parameters, defaults: defaults)
        return XenTaskHandle(ref, of: self)
    }

    /// The parameters without those at the end that say what is assumed anyway.
    private static func needed(_ parameters: [WireValue], _ defaults: [WireValue]) -> [WireValue] {
        var count = parameters.count
        for standard in defaults.reversed() {
            guard count > 0, parameters[count - 1] == standard else { break }
            count -= 1
        }
        return Array(parameters.prefix(count))
    }
}
