import BlockIO
import CLinux
import CoreTypes
import Glibc
import NBDProtocol

/// The transmission phase of one connection, run by that connection's thread.
///
/// One receive brings many requests; small reads are done in place, straight behind their reply heads in the output
/// buffer; one send takes the replies of the whole batch. What may take long goes to the `SlowLane`, whose replies
/// overtake or follow ours; a mutex keeps each send whole. Nothing here allocates, locks (beyond one send) or logs per
/// request.
@safe
final class ExportSession: @unchecked Sendable {
    // @unchecked, SAFETY: the buffers and cursors belong to the connection's thread; lane threads use only the
    // constants, `sending` and their own buffer. Every cursor stays within its buffer's capacity by the checks here.

    /// Bytes asked for by one receive.
    static let window = 256 << 10
    /// Replies gathered before they are sent.
    static let batch = 256 << 10
    /// Requests from this size on are moved without a copy, in a buffer position of their own.
    static let large = 64 << 10
    /// Payloads of large requests start here, aligned for O_DIRECT, heads just before.
    static let aligned = 4096
    static let bufferSize = Int(NBDLimits.payload) + 2 * window

    let channel: Channel
    let device: any BlockDevice
    let size: UInt64
    let refusesWrites: Bool
    let structured: Bool
    let allocationContext: Bool
    /// Bitmaps that go with each block status, and their numbers.
    let bitmaps: [(identifier: UInt32, source: any ChangedExtentSource)]
    let sending = Monitor()

    let input: MappedBuffer
    var begin = ExportSession.aligned - NBDRequest.size
    var end = ExportSession.aligned - NBDRequest.size
    private var inputMark = 0
    /// Storage was told of the reads before this place.
    var announced = ExportSession.aligned - NBDRequest.size
    let output: MappedBuffer
    var outputBegin = 0
    var outputEnd = 0
    /// The socket failed: nothing more is sent.
    private var broken = false
    /// What the batch under way has done so far.
    var tally = RequestCounts()
    let counts: ConnectionCounts
    private let throttle: DiskThrottle
    private let flushes: SharedFlushes
    private let flushReader: SharedFlushes.Reader
    /// The request at `begin` has paid its price and waits only for its data.
    private var isAdmitted = false
    /// Nobody waits for this client any more.
    private let isCut: @Sendable () -> Bool
    private var coldReads = ColdReadGauge()
    /// Reads after which a batch ends although more requests are there.
    private var readLimit = UInt64.max
    private var leavesMore = false
    private var spin: SpinGauge
    /// For large reads; made with the first one.
    private(set) lazy var pages: PagePipe? = channel.tls == nil ? PagePipe() : nil
    private(set) lazy var lane = SlowLane { [unowned self] in performSlow($0, reply: $1) }

    /// `first`: what the client sent behind its handshake.
    init?(
        _ channel: Channel, export: NBDExport, offer: NBDExport.Offer, agreement: ServerHandshake.Agreement,
        first: [UInt8], counts: ConnectionCounts, isCut: @escaping @Sendable () -> Bool
    ) {
        guard let input = MappedBuffer(capacity: Self.bufferSize),
            let output = MappedBuffer(capacity: Self.bufferSize)
        else { return nil }
        self.input = input
        self.output = output
        self.channel = channel
        self.counts = counts
        self.isCut = isCut
        throttle = export.throttle
        flushes = export.flushes
        flushReader = export.flushes.makeReader()
        // In TLS a look costs more than it may gain; with one processor the client cannot run meanwhile.
        spin = SpinGauge(isAllowed: channel.tls == nil && gantry_processor_count() > 1)
        device = export.device
        size = offer.description.size
        refusesWrites = export.refusesWrites
        structured = agreement.structuredReplies
        allocationContext = agreement.allocationContext
        bitmaps = agreement.bitmaps.map { (MetaContext.bitmapIdentifier($0), offer.bitmaps[$0]) }
        guard first.count <= Self.window else { return nil }
        for byte in first {
            unsafe input.base.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
            end += 1
        }
    }

    /// Serves until the client leaves, breaks the protocol, or the socket is shut down. All accepted requests are done
    /// when it returns.
    func run() {
        while serveBatch(), leavesMore || receive() {}
        _ = send()
        lane.finish()
    }

    /// Does what has arrived and sends the replies. Three looks at the clock, however many requests there are.
    private func serveBatch() -> Bool {
        let start = gantry_now()
        readLimit = .max
        leavesMore = false
        if coldReads.announces { readLimit = announceArrived() }
        let isWhole = serveReceived()
        let done = gantry_now()
        let goesOn = isWhole && send()
        if !tally.isEmpty {
            coldReads.note(
                reads: tally.reads, bytes: tally.readBytes, others: tally.writes &+ tally.discards,
                nanoseconds: done - start)
            let time = gantry_now() - start
            tally.readNanoseconds = tally.reads &* time
            tally.writeNanoseconds = tally.writes &* time
            counts.add(tally)
            counts.addTimes(of: tally, time)
            tally = RequestCounts()
        }
        return goesOn
    }

    /// Does every request that has arrived whole, of reads that are waited for only some. False: the connection is over.
    private func serveReceived() -> Bool {
        while end - begin >= NBDRequest.size {
            guard let request = unsafe NBDRequest(from: input.base + begin) else { return false }
            if throttle.isActive, !isAdmitted { hold(request) }
            switch request.command {
            case NBDCommand.disconnect:
                return false
            case NBDCommand.write:
                guard request.length <= NBDLimits.payload else {
                    begin += NBDRequest.size
                    guard send(), skip(Int(request.length)) else { return false }
                    replyError(NBDErrno.invalid, "a write of more than 32 MiB", request.handle)
                    continue
                }
                let whole = NBDRequest.size + Int(request.length)
                if end - begin < whole {
                    if Int(request.length) < Self.large {
                        isAdmitted = true
                        return true
                    }
                    guard send(), receivePayload(whole) else { return false }
                }
                let payload = unsafe UnsafeRawBufferPointer(
                    start: input.base + begin + NBDRequest.size, count: Int(request.length))
                unsafe write(request, payload)
                begin += whole
                isAdmitted = false
            default:
                begin += NBDRequest.size
                perform(request)
                isAdmitted = false
            }
            if outputEnd - outputBegin >= Self.batch, !send() { return false }
            if tally.reads >= readLimit {
                leavesMore = true
                break
            }
        }
        return !broken
    }

    /// From any of the connection's threads. Who cannot write has nothing to be made durable, and is not who a loss is told to:
    /// devices tell of one once.
    func flush() throws(BlockError) {
        if refusesWrites { return }
        try flushes.flush(device, flushReader)
    }

    /// Makes a request wait as its disk's limits want it. What was done before it is answered first.
    private func hold(_ request: NBDRequest) {
        let isZeroing = request.command == NBDCommand.writeZeroes
        let price = RequestPrice(
            request, isAccepted: isAcceptable(request), zeroesFast: isZeroing && device.canZeroFast)
        if !price.isPaid { throttle.pay(price, unless: { broken || isCut() }, beforeWaiting: { _ = send() }) }
    }

    /// Waits for more bytes, at least one.
    private func receive() -> Bool {
        if begin == end {
            rewind()
        } else if input.capacity - end < Self.window {
            move(to: 0)
        }
        if begin == end, spin.shouldLook() {
            let count = lookForMore()
            spin.looked(found: count > 0)
            if count > 0 {
                end += count
                return true
            }
        }
        let count = unsafe channel.receive(input.base + end, Self.window)
        guard count > 0 else { return false }
        end += count
        return true
    }

    /// Looks for the next request for a moment. 0: none came; what is wrong with the socket is seen by who waits for it.
    private func lookForMore() -> Int {
        let last = gantry_now() + SpinGauge.budget
        repeat {
            let count = unsafe gantry_receive_at_once(channel.descriptor, input.base + end, Self.window)
            if count != -Int64(EAGAIN) { return max(0, Int(count)) }
        } while gantry_now() < last
        return 0
    }

    private func rewind() {
        if inputMark > 4 << 20 {
            input.release(from: 1 << 20)
            inputMark = 0
        }
        begin = Self.aligned - NBDRequest.size
        end = begin
        announced = begin
    }

    func move(to place: Int) {
        unsafe memmove(input.base + place, input.base + begin, end - begin)
        end = place + (end - begin)
        announced = place + max(0, announced - begin)
        begin = place
    }

    /// Waits until `whole` bytes are there from `begin` on.
    private func receivePayload(_ whole: Int) -> Bool {
        let place = Self.aligned - NBDRequest.size
        if begin != place, end - begin <= Self.large || input.capacity - begin < whole { move(to: place) }
        while end - begin < whole {
            let count = unsafe channel.receive(input.base + end, whole - (end - begin))
            guard count > 0 else { return false }
            end += count
        }
        inputMark = max(inputMark, end)
        return true
    }

    /// Reads past `count` bytes.
    private func skip(_ count: Int) -> Bool {
        var rest = count - min(count, end - begin)
        begin += count - rest
        while rest > 0 {
            rewind()
            let part = unsafe channel.receive(input.base + begin, min(rest, Self.window))
            guard part > 0 else { return false }
            rest -= part
        }
        return true
    }

    /// Sends all gathered replies. False: the client is gone.
    func send() -> Bool {
        if outputBegin < outputEnd, !broken {
            broken = unsafe !transmit(output.base + outputBegin, outputEnd - outputBegin)
        }
        if outputEnd > 4 << 20 { output.release(from: 1 << 20) }
        outputBegin = 0
        outputEnd = 0
        return !broken
    }

    /// The head at `place` in the output buffer, then `count` pages' bytes from the pipe, then the rest up to `end`, as one
    /// whole send. False: the client is gone, and the pipe, which may hold something, is used no more.
    func send(from place: Int, head: Int, _ pages: PagePipe, _ count: Int, end: Int) -> Bool {
        sending.lock()
        defer { sending.unlock() }
        broken = unsafe channel.send(output.base + place, head) != 0 || pages.move(count, to: channel.descriptor) != 0
        let rest = place + head
        if !broken, rest < end { broken = unsafe channel.send(output.base + rest, end - rest) != 0 }
        return !broken
    }

    /// One whole send, from any thread.
    func transmit(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        sending.lock()
        defer { sending.unlock() }
        return unsafe channel.send(bytes, count) == 0
    }
}
