import BlockIO
import NBDProtocol

// What the connection's own thread does for each request; replies go to the output buffer.
// SAFETY: before anything is stored at `outputEnd`, `makeRoom` has made sure of the space.

extension ExportSession {
    /// Zeroings and trims from this size on, in bytes, go to the slow lane.
    private static let slowLength: UInt32 = 1 << 20

    /// Everything but WRITE and DISC.
    @inline(__always)
    func perform(_ request: NBDRequest) {
        if request.command == NBDCommand.read {
            read(request)
        } else {
            performRare(request)
        }
    }

    private func read(_ request: NBDRequest) {
        let length = Int(request.length)
        guard isAcceptable(request) else { return refuse(request) }
        let head = structured ? ChunkHead.size + ChunkHead.offsetSize : SimpleReply.size
        if length == 0 { return replyDone(request) }
        var place: Int
        if length >= Self.large {
            guard send() else { return }
            if length <= PagePipe.capacity, let pages, passPages(request, head, pages) { return }
            place = Self.aligned - head
            outputBegin = place
        } else {
            makeRoom(head + length)
            place = outputEnd
        }
        do throws(BlockError) {
            let data = unsafe UnsafeMutableRawBufferPointer(start: output.base + place + head, count: length)
            unsafe try device.read(into: data, at: request.offset)
        } catch {
            outputEnd = place
            return replyError(error.wireNumber, error.message, request.handle)
        }
        storeReadHead(request, at: place)
        place += head + length
        outputEnd = place
        if length >= Self.large { _ = send() }
    }

    private func storeReadHead(_ request: NBDRequest, at place: Int) {
        tally.reads &+= 1
        tally.readBytes &+= UInt64(request.length)
        if structured {
            let chunk = ChunkHead(
                isLast: true, type: ChunkType.offsetData, handle: request.handle,
                length: request.length + UInt32(ChunkHead.offsetSize))
            unsafe chunk.store(to: output.base + place)
            unsafe (output.base + place).storeBig(request.offset, at: ChunkHead.size)
        } else {
            unsafe SimpleReply(handle: request.handle).store(to: output.base + place)
        }
    }

    /// A large read from the page cache to the socket without a copy of our own. False: nothing was done. Until the client
    /// has taken it, the read is under way and may show what is written meanwhile, as any read may.
    private func passPages(_ request: NBDRequest, _ head: Int, _ pages: PagePipe) -> Bool {
        let length = Int(request.length)
        let count = device.putPages(at: request.offset, length: length, into: pages.input)
        if count <= 0 { return false }
        let place = Self.aligned - head
        if count < length {
            do throws(BlockError) {
                let data = unsafe UnsafeMutableRawBufferPointer(
                    start: output.base + Self.aligned, count: length - count)
                unsafe try device.read(into: data, at: request.offset + UInt64(count))
            } catch {
                unsafe pages.drop(count, over: output.base + Self.aligned)
                replyError(error.wireNumber, error.message, request.handle)
                return true
            }
        }
        storeReadHead(request, at: place)
        _ = send(from: place, head: head, pages, count, end: Self.aligned + length - count)
        return true
    }

    func write(_ request: NBDRequest, _ payload: UnsafeRawBufferPointer) {
        guard isAcceptable(request) else { return refuse(request) }
        do throws(BlockError) {
            if request.length > 0 { unsafe try device.write(payload, at: request.offset) }
        } catch {
            return replyError(error.wireNumber, error.message, request.handle)
        }
        tally.writes &+= 1
        tally.writtenBytes &+= UInt64(request.length)
        finishModification(request)
    }

    /// Answers a modification that is done, after a flush when the client wants it durable.
    private func finishModification(_ request: NBDRequest) {
        if request.flags.contains(.forceUnitAccess) {
            addSlow(SlowLane.Job(request: request, flushOnly: true))
        } else {
            replyDone(request)
        }
    }

    private func performRare(_ request: NBDRequest) {
        guard isAcceptable(request) else { return refuse(request) }
        switch request.command {
        case NBDCommand.trim where request.length < Self.slowLength,
            NBDCommand.writeZeroes where request.length < Self.slowLength:
            do throws(BlockError) {
                try modifyWithoutData(request)
            } catch {
                return replyError(error.wireNumber, error.message, request.handle)
            }
            tally.discards &+= 1
            tally.discardedBytes &+= UInt64(request.length)
            finishModification(request)
        default:
            addSlow(SlowLane.Job(request: request, flushOnly: false))
        }
    }

    /// What is done already is answered before this client's requests wait for each other.
    private func addSlow(_ job: SlowLane.Job) { lane.add(job) { _ = send() } }

    /// TRIM and WRITE_ZEROES, from any thread.
    func modifyWithoutData(_ request: NBDRequest) throws(BlockError) {
        let length = UInt64(request.length)
        if length == 0 { return }
        if request.command == NBDCommand.trim {
            try device.discard(at: request.offset, length: length)
        } else {
            // The client would rather write something else, or nothing, than wait for zeroes to be written out.
            if request.flags.contains(.fastZero), !device.canZeroFast {
                throw BlockError(.unsupported, "the image cannot be zeroed faster than by writing zeroes")
            }
            try device.writeZeroes(
                at: request.offset, length: length, mayUnmap: !request.flags.contains(.noHole))
        }
    }

    func isInside(_ request: NBDRequest) -> Bool {
        request.offset <= size && UInt64(request.length) <= size - request.offset
    }

    /// Flags, range and permission; what is not acceptable is refused.
    @inline(__always)
    func isAcceptable(_ request: NBDRequest) -> Bool {
        switch request.command {
        case NBDCommand.read:
            request.flags.isSubset(of: [.dontFragment, .forceUnitAccess]) && request.length <= NBDLimits.payload
                && isInside(request)
        case NBDCommand.write:
            request.flags.isSubset(of: .forceUnitAccess) && request.length <= NBDLimits.payload && !refusesWrites
                && isInside(request)
        case NBDCommand.flush:
            request.flags.isSubset(of: .forceUnitAccess)
        case NBDCommand.cache:
            request.flags.isSubset(of: .forceUnitAccess) && isInside(request)
        case NBDCommand.trim:
            request.flags.isSubset(of: .forceUnitAccess) && !refusesWrites && isInside(request)
        case NBDCommand.writeZeroes:
            request.flags.isSubset(of: [.forceUnitAccess, .noHole, .fastZero]) && !refusesWrites && isInside(request)
        case NBDCommand.blockStatus:
            request.flags.isSubset(of: [.forceUnitAccess, .one]) && (allocationContext || !bitmaps.isEmpty)
                && request.length > 0 && isInside(request)
        default:
            false
        }
    }

    /// Answers a request that must not be done, with the reason the protocol wants.
    private func refuse(_ request: NBDRequest) {
        let command = request.command
        let modifies =
            command == NBDCommand.write || command == NBDCommand.trim || command == NBDCommand.writeZeroes
        if modifies, refusesWrites {
            replyError(NBDErrno.permission, "the export is read-only", request.handle)
        } else if modifies, command != NBDCommand.trim, !isInside(request) {
            replyError(NBDErrno.noSpace, "the request reaches past the end of the export", request.handle)
        } else {
            replyError(NBDErrno.invalid, "the request is not valid", request.handle)
        }
    }

    /// Success without data. An empty structured READ needs a chunk of its own; elsewhere a simple reply is allowed.
    private func replyDone(_ request: NBDRequest) {
        makeRoom(ChunkHead.size)
        if structured, request.command == NBDCommand.read {
            let chunk = ChunkHead(isLast: true, type: ChunkType.none, handle: request.handle, length: 0)
            unsafe chunk.store(to: output.base + outputEnd)
            outputEnd += ChunkHead.size
        } else {
            unsafe SimpleReply(handle: request.handle).store(to: output.base + outputEnd)
            outputEnd += SimpleReply.size
        }
    }

    func replyError(_ error: UInt32, _ message: String, _ handle: UInt64) {
        makeRoom(largestErrorChunk)
        outputEnd += unsafe storeError(error, message, handle, at: output.base + outputEnd)
    }

    /// Stores an error reply where there is room for `largestErrorChunk` bytes; returns its size.
    func storeError(_ error: UInt32, _ message: String, _ handle: UInt64, at place: UnsafeMutableRawPointer) -> Int {
        if structured { return unsafe storeErrorChunk(error: error, message: message, handle: handle, to: place) }
        unsafe SimpleReply(error: error, handle: handle).store(to: place)
        return SimpleReply.size
    }

    /// Room for `count` more bytes (below 128 KiB) of replies. After a failed send the bytes go nowhere.
    private func makeRoom(_ count: Int) {
        if outputEnd + count > output.capacity || outputEnd - outputBegin + count > 2 * Self.batch { _ = send() }
    }
}
