import BlockIO
import CoreTypes
import Synchronization

/// The work shared by the threads of one copy: each takes the next piece, in ascending order, until none is left.
final class CopyJob: Sendable {
    private struct State {
        var plan: CopyPlan
        var error: BlockError?
    }

    let source: any BlockDevice
    let destination: any BlockDevice
    let manner: CopyManner
    let destinationIsZero: Bool
    private let progress: ProgressCounter
    private let cancellation: CancellationFlag
    private let state: Mutex<State>
    /// The files that host offsets of the plan count in; empty where they may change under us.
    let files: [ImageFile]
    let target: (any PlacingDevice)?
    private let pace: CopyPace?
    /// Data may be written from a mapping of the files.
    private let mayMap: Bool
    /// Runs may be cloned as far as is known. Only changes to false.
    private let mayClone: Atomic<Bool>
    private let hasCloned = Atomic<Bool>(false)
    /// Bytes of holes in the run that is being cloned: they are no data.
    private let holeBytes = Atomic<UInt64>(0)
    /// What every file system's blocks divide.
    private static let cloneUnit: UInt64 = 4096
    /// What is cloned to see whether anything can be: the piece of a sampled copy, and at least a block of any file system.
    private static let trialBytes: UInt64 = 64 << 10

    init(
        plan: CopyPlan, source: any BlockDevice, destination: any BlockDevice, manner: CopyManner,
        options: CopyEngine.Options, progress: ProgressCounter, cancellation: CancellationFlag
    ) {
        self.source = source
        self.destination = destination
        self.manner = manner
        destinationIsZero = options.destinationIsZero
        pace = options.pace
        self.progress = progress
        self.cancellation = cancellation
        mayMap = manner.maps && plan.hasFoundAllHoles && destination is any PlacingDevice
        state = Mutex(State(plan: plan))
        files = source.isReadOnly ? (source as? any HostMappedDevice)?.hostFiles ?? [] : []
        target = destination as? any PlacingDevice
        mayClone = Atomic(options.clones && options.destinationIsZero && !files.isEmpty && target != nil)
    }

    var error: BlockError? { state.withLock { $0.error } }

    /// Returns when all is copied, or one thread has failed. As long as runs are cloned, one thread does it: it is the
    /// file system that works, a change of a file at a time, and runs end anywhere, not where allocation units do.
    func run() {
        if mayClone.load(ordering: .relaxed), work(whileCloning: true) { return }
        let workers = (1..<manner.threads).map { index in
            WorkerThread("copy-\(index)") { self.work() }
        }
        work()
        for worker in workers { worker.join() }
    }

    /// True when nothing is left, or something has failed.
    @discardableResult
    private func work(whileCloning: Bool = false) -> Bool {
        var hands = CopyHands(
            window: mayMap ? MappedWindow(largest: Self.windowBytes) : nil,
            copiesRanges: mayMap && manner.zeroes != .search, bufferBytes: manner.buffer)
        var parts: [HostExtent] = []
        do throws(BlockError) {
            while !whileCloning || mayClone.load(ordering: .relaxed) {
                guard try take(&parts), let first = parts.first, let last = parts.last else { return true }
                if cancellation.isCancelled { throw .stopped }
                if whileCloning, parts.count == 1, isCloneable(first) {
                    try clone(first)
                    continue
                }
                guard first.kind == .data else {
                    if !destinationIsZero {
                        try destination.writeZeroes(at: first.offset, length: last.end - first.offset, mayUnmap: true)
                    }
                    continue
                }
                let count = Int(last.end - first.offset)
                pace?.pass(UInt64(count))
                let isMoved = isWorthMapping(parts, count) ? try moveBetweenFiles(parts, with: &hands) : false
                if !isMoved { try move(parts, through: hands.buffer) }
                progress.add(UInt64(count))
            }
            return false
        } catch {
            state.withLock { if $0.error == nil { $0.error = error } }
            return true
        }
    }

    // MARK: Pieces

    /// Takes the next piece: a run to be cloned, zeroes, or adjoining data up to a multiple of the chunk. False at the
    /// end and after an error of another thread.
    private func take(_ parts: inout [HostExtent]) throws(BlockError) -> Bool {
        parts.removeAll(keepingCapacity: true)
        let clones = mayClone.load(ordering: .relaxed)
        return try state.withLock { state throws(BlockError) -> Bool in
            if state.error != nil { return false }
            guard var first = try state.plan.next() else { return false }
            if clones, isCloneable(first) {
                try extendClone(&first, &state.plan)
                parts.append(first)
                return true
            }
            if first.kind != .data {
                parts.append(first)
                return true
            }
            let boundary = (first.offset & ~(manner.chunk - 1)) &+ manner.chunk
            var next: HostExtent? = first
            var end = first.offset
            while var part = next, part.kind == .data, part.offset == end, end < boundary,
                parts.isEmpty || !(clones && isCloneable(part))
            {
                if part.end > boundary {
                    var rest = part
                    part.length = boundary - part.offset
                    rest.offset += part.length
                    rest.length -= part.length
                    rest.host &+= part.length
                    state.plan.putBack(rest)
                    parts.append(part)
                    return true
                }
                parts.append(part)
                end = part.end
                next = try state.plan.next()
            }
            if let next { state.plan.putBack(next) }
            return true
        }
    }

    private func isCloneable(_ extent: HostExtent) -> Bool {
        extent.file >= 0 && extent.host % Self.cloneUnit == 0 && extent.offset % Self.cloneUnit == 0
            && extent.length >= Self.cloneUnit && extent.kind == .data && Int(extent.file) < files.count
    }

    /// Adds to a run what follows it in the same file, holes too where the destination is a file like the source. Not
    /// before the first run has shown that the file system can clone.
    private func extendClone(_ run: inout HostExtent, _ plan: inout CopyPlan) throws(BlockError) {
        guard target?.isLinear == true, hasCloned.load(ordering: .relaxed) else { return }
        while let next = try plan.next() {
            // A hole of the file is one; an extent that the image calls zero may have other bytes there.
            guard next.kind != .zero, next.file == run.file, next.offset == run.end,
                next.host == run.host + run.length
            else { return plan.putBack(next) }
            run.length += next.length
            if next.kind == .hole { holeBytes.wrappingAdd(next.length, ordering: .relaxed) }
        }
    }

    // MARK: Moving

    /// Clones a run, and copies what of it cannot be cloned. Where the first attempt shows that nothing can, what is left
    /// of the run goes back into the plan.
    private func clone(_ run: HostExtent) throws(BlockError) {
        guard let target else { return }
        let whole = run.length & ~(Self.cloneUnit - 1)
        var done: UInt64 = 0
        var refused = false
        while done < whole, !refused {
            if cancellation.isCancelled { throw .stopped }
            let isFirst = !hasCloned.load(ordering: .relaxed)
            // Places that need allocation are not given away before it is known that they will be shared.
            let trial = Self.trialBytes - (run.offset + done) % Self.trialBytes
            let most = isFirst && !target.isLinear ? min(whole - done, trial) : whole - done
            let placed = try target.place(at: run.offset + done, length: most) {
                (file, host, length) throws(BlockError) in
                let from = run.host + done
                if host % Self.cloneUnit == 0,
                    try file.clone(from: files[Int(run.file)], at: from, length: length, to: host)
                {
                    return
                }
                refused = true
                if isFirst, target.isLinear { return }
                // The place is ours, so the content goes there now.
                if isFirst, manner.zeroes == .sample {
                    try copyTrimmed(files[Int(run.file)], from, file, host, length)
                } else {
                    try copyBetween(files[Int(run.file)], from, file, host, length)
                }
            }
            if placed == 0 { break }
            if !refused, isFirst {
                hasCloned.store(true, ordering: .relaxed)
                target.noteSharing()
            }
            if !refused || !isFirst || !target.isLinear { done += placed }
        }
        if !hasCloned.load(ordering: .relaxed), refused || done == 0 {
            mayClone.store(false, ordering: .relaxed)
            var rest = run
            rest.offset += done
            rest.host += done
            rest.length -= done
            if rest.length > 0 { state.withLock { $0.plan.putBack(rest) } }
            return progress.add(done)
        }
        if done < run.length { try copyRest(of: run, from: done) }
        progress.add(run.length - holeBytes.exchange(0, ordering: .relaxed))
    }

    /// Copies one piece, or a part of one, without the pages of zeroes that it begins and ends with: what a sampled copy
    /// makes of it.
    private func copyTrimmed(
        _ from: ImageFile, _ start: UInt64, _ to: ImageFile, _ target: UInt64, _ length: UInt64
    ) throws(BlockError) {
        let buffer = AlignedBuffer(count: Int(length))
        // SAFETY: the buffer's count; the ranges below lie inside it.
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(length)])
        try unsafe from.read(into: bytes, at: start)
        let page = Int(Self.cloneUnit)
        var (low, high) = (0, bytes.count)
        while low < high {
            let next = min(high, low + page)
            if unsafe !isZero(UnsafeRawBufferPointer(rebasing: bytes[low..<next])) { break }
            low = next
        }
        while high > low {
            let next = max(low, (high - 1) / page * page)
            if unsafe !isZero(UnsafeRawBufferPointer(rebasing: bytes[next..<high])) { break }
            high = next
        }
        if low < high {
            try unsafe to.write(UnsafeRawBufferPointer(rebasing: bytes[low..<high]), at: target + UInt64(low))
        }
    }

    /// Copies what is left of a run that was to be cloned.
    private func copyRest(of run: HostExtent, from done: UInt64) throws(BlockError) {
        let buffer = AlignedBuffer(count: Int(min(manner.buffer, run.length - done)))
        var position = done
        while position < run.length {
            if cancellation.isCancelled { throw .stopped }
            let count = min(UInt64(unsafe buffer.bytes.count), run.length - position)
            // SAFETY: at most the buffer's count.
            let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<Int(count)])
            try unsafe source.read(into: bytes, at: run.offset + position)
            try unsafe store(bytes, at: run.offset + position)
            position += count
        }
    }

    /// Copies between files, into a place that reads as zeroes or not.
    func copyBetween(
        _ from: ImageFile, _ start: UInt64, _ to: ImageFile, _ target: UInt64, _ length: UInt64
    ) throws(BlockError) {
        let buffer = AlignedBuffer(count: Int(min(manner.buffer, length)))
        var done: UInt64 = 0
        while done < length {
            let count = min(UInt64(unsafe buffer.bytes.count), length - done)
            // SAFETY: at most the buffer's count.
            let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<Int(count)])
            try unsafe from.read(into: bytes, at: start + done)
            let content = UnsafeRawBufferPointer(bytes)
            _ = try unsafe forEachRun(of: content, at: 0, granule: manner.granule) {
                (part, isZero, within) throws(BlockError) in
                if !isZero || !destinationIsZero || manner.zeroes == .keep {
                    try unsafe to.write(part, at: target + done + UInt64(within))
                }
            }
            done += count
        }
    }

    /// Copies adjoining data parts, as much at a time as the buffer holds, up to multiples of that.
    func move(_ parts: [HostExtent], through buffer: AlignedBuffer) throws(BlockError) {
        var batch: [HostExtent] = []
        for part in parts {
            var rest = part
            while rest.length > 0 {
                var piece = rest
                piece.length = min(rest.length, manner.buffer - rest.offset & (manner.buffer - 1))
                rest.offset += piece.length
                rest.host &+= piece.length
                rest.length -= piece.length
                batch.append(piece)
                guard piece.end & (manner.buffer - 1) == 0 || piece.end == parts[parts.count - 1].end else { continue }
                // SAFETY: a batch ends at the first multiple of the buffer's size.
                let bytes = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: buffer.bytes[0..<Int(piece.end - batch[0].offset)])
                try unsafe read(batch, into: bytes)
                try unsafe store(bytes, at: batch[0].offset)
                batch.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Fills `bytes` with adjoining data parts: from the files where they tell, past the image's own caches.
    private func read(_ parts: [HostExtent], into bytes: UnsafeMutableRawBufferPointer) throws(BlockError) {
        let start = parts[0].offset
        var index = 0
        while index < parts.count {
            let part = parts[index]
            let within = Int(part.offset - start)
            if part.file >= 0, Int(part.file) < files.count {
                // SAFETY: the parts adjoin and end with the buffer.
                let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[within..<within + Int(part.length)])
                try unsafe files[Int(part.file)].read(into: piece, at: part.host)
                index += 1
                continue
            }
            var end = part.end
            index += 1
            while index < parts.count, parts[index].file < 0 || files.isEmpty {
                end = parts[index].end
                index += 1
            }
            // SAFETY: as above.
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[within..<Int(end - start)])
            try unsafe source.read(into: piece, at: part.offset)
        }
    }

    /// Writes what is not zero.
    private func store(_ bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        let content = UnsafeRawBufferPointer(bytes)
        if manner.zeroes == .keep { return try unsafe write(content, at: offset) }
        _ = try unsafe forEachRun(of: content, at: offset, granule: manner.granule) {
            (part, isZero, within) throws(BlockError) in
            let position = offset + UInt64(within)
            if !isZero {
                try unsafe write(part, at: position)
            } else if !destinationIsZero {
                try destination.writeZeroes(at: position, length: UInt64(part.count), mayUnmap: true)
            }
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard manner.places, let target else { return try unsafe destination.write(bytes, at: offset) }
        let done = try unsafe put(bytes, at: offset, into: target)
        if done < bytes.count {
            // SAFETY: below the count.
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            try unsafe destination.write(rest, at: offset + UInt64(done))
        }
    }

    /// Lets the destination give bytes their place and writes them there, without looking at them. Returns how many: fewer
    /// than all where it can place no more.
    func put(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, into target: any PlacingDevice
    ) throws(BlockError) -> Int {
        var done = 0
        while done < bytes.count {
            // SAFETY: `place` puts at most what is left.
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let placed = try target.place(at: offset + UInt64(done), length: UInt64(rest.count)) {
                (file, host, length) throws(BlockError) in
                try unsafe file.write(UnsafeRawBufferPointer(rebasing: rest[..<Int(length)]), at: host)
            }
            if placed == 0 { break }
            done += Int(placed)
        }
        return done
    }
}
