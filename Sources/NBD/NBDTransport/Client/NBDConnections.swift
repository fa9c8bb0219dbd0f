public import BlockIO
public import CoreTypes
import NBDProtocol
import Synchronization

/// An export over several connections, where its server says that a flush on one is a flush of all; otherwise over one.
/// Requests take turns; the loss of one connection is the loss of all.
public final class NBDConnections: BlockDevice {
    private let clients: [NBDClient]
    private let turn = Atomic<Int>(0)

    /// Opens up to `count` connections with `connect`.
    public init(count: Int, _ connect: () throws(BlockError) -> NBDClient) throws(BlockError) {
        var clients = [try connect()]
        if clients[0].flags.contains(.multipleConnections) {
            while clients.count < count { clients.append(try connect()) }
        }
        self.clients = clients
    }

    /// Connects to where the location says, without encryption only where it says so: then the caller knows that the network
    /// is trusted.
    /// `answerSeconds`: as `NBDClient`, for each connection.
    public convenience init(
        _ location: NBDLocation, count: Int, readOnly: Bool = false, answerSeconds: Double? = nil
    ) throws(BlockError) {
        let endpoint = try NBDEndpoint(location)
        try self.init(count: count) { () throws(BlockError) in
            try NBDClient(endpoint, readOnly: readOnly, answerSeconds: answerSeconds)
        }
    }

    /// As `NBDClient`.
    public func waitForEver() { for client in clients { client.waitForEver() } }

    public func interrupt() { for client in clients { client.interrupt() } }

    /// The first that fails is thrown when all have said something. They are asked at once, as far as there are threads.
    public func probe() throws(BlockError) {
        let failure = Mutex<BlockError?>(nil)
        let ask: @Sendable (NBDClient) -> Void = { client in
            do throws(BlockError) { try client.probe() } catch { failure.withLock { if $0 == nil { $0 = error } } }
        }
        let askers = clients.dropFirst().compactMap { client -> WorkerThread? in
            let asker = WorkerThread(ifPossible: "nbd-probe") { ask(client) }
            if asker == nil { ask(client) }
            return asker
        }
        ask(clients[0])
        for asker in askers { asker.join() }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    public var count: Int { clients.count }
    /// One connection is gone for good: what is asked of it fails.
    public var isLost: Bool { clients.contains(where: \.isLost) }

    public var size: UInt64 { clients[0].size }
    public var isReadOnly: Bool { clients[0].isReadOnly }
    public var preferredAlignment: UInt64 { clients[0].preferredAlignment }

    @inline(__always)
    private var next: NBDClient {
        if clients.count == 1 { return clients[0] }
        return clients[(turn.wrappingAdd(1, ordering: .relaxed).newValue & Int.max) % clients.count]
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe next.read(into: buffer, at: offset)
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe writer.write(data, at: offset)
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try writer.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }

    public func write(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience
    ) throws(BlockError) {
        try unsafe writer.write(data, at: offset, within: patience)
    }

    public func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try writer.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap, within: patience)
    }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try writer.discard(at: offset, length: length)
    }

    public func flush() throws(BlockError) { try clients[0].flush() }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try next.appendExtents(to: &extents, at: offset, length: length)
    }

    public func close() throws(BlockError) {
        defer { for client in clients.dropFirst() { try? client.close() } }
        try clients[0].close()
    }

    /// Parts of blocks are rewritten with the other writes of a connection kept away: then all go over one.
    private var writer: NBDClient { clients[0].unit > 1 ? clients[0] : next }
}
