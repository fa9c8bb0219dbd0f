import BlockIO

/// Memory whose flushes can be held at a gate, and which fails where it is told to.
final class GateDevice: BlockDevice, @unchecked Sendable {
    // @unchecked: everything mutable is touched with `monitor` held.
    let memory: MemoryDevice
    private let monitor = Monitor()
    private var gateIsOpen = true
    private var flushesWaiting = 0
    private var flushesDone = 0
    private var flushFailure: BlockError?
    private var failures: [UInt64: BlockError] = [:]

    init(size: UInt64) { memory = MemoryDevice(size: size) }

    var size: UInt64 { memory.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 65536 }
    var flushCount: Int { monitor.locked { flushesDone } }

    func closeGate() { monitor.locked { gateIsOpen = false } }

    func openGate() {
        monitor.locked { gateIsOpen = true }
        monitor.wakeAll()
    }

    /// Returns when a flush is waiting at the gate.
    func awaitFlush() { monitor.locked { while flushesWaiting == 0 { monitor.wait() } } }

    /// Requests that begin at `offset` throw `error`.
    func fail(at offset: UInt64, with error: BlockError) { monitor.locked { failures[offset] = error } }

    /// One flush throws `error`; those after it succeed, as a kernel's do.
    func failNextFlush(with error: BlockError) { monitor.locked { flushFailure = error } }

    private func check(_ offset: UInt64) throws(BlockError) {
        monitor.lock()
        defer { monitor.unlock() }
        if let error = failures[offset] { throw error }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try check(offset)
        unsafe try memory.read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try check(offset)
        unsafe try memory.write(data, at: offset)
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try check(offset)
        try memory.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try check(offset)
        try memory.discard(at: offset, length: length)
    }

    func flush() throws(BlockError) {
        monitor.lock()
        flushesWaiting += 1
        monitor.wakeAll()
        while !gateIsOpen { monitor.wait() }
        flushesWaiting -= 1
        flushesDone += 1
        let failure = flushFailure
        flushFailure = nil
        monitor.unlock()
        if let failure { throw failure }
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try check(offset)
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }

    func close() throws(BlockError) { try memory.close() }
}
