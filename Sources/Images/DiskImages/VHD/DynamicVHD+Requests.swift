import BlockIO
import CoreTypes

/// Requests, a block at a time.
extension DynamicVHD {
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let part = part(offset + UInt64(done), UInt64(buffer.count - done))
            // SAFETY: `part` never reaches past what is left of the buffer.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + Int(part.length)])
            let place = try enter(part.block)
            defer { leave() }
            if let start = place.start {
                if place.isFull || !bitmapsCount {
                    try unsafe file.read(into: target, at: start + bitmapSize + part.within)
                } else {
                    try unsafe readSectors(into: target, part, start: start)
                }
            } else {
                try unsafe readParent(into: target, at: offset + UInt64(done))
            }
            done += Int(part.length)
        }
    }

    func willRead(at offset: UInt64, length: UInt64) {
        guard (try? checkRange(offset, length)) != nil else { return }
        var position = offset
        while position < offset + length {
            let part = part(position, offset + length - position)
            guard let place = try? enter(part.block) else { return }
            defer { leave() }
            if let start = place.start {
                file.willRead(at: start + bitmapSize + part.within, length: part.length)
            }
            if place.start == nil || !place.isFull && isDifferencing {
                parent?.willReadInside(at: position, length: part.length)
            }
            position += part.length
        }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        try checkWritable()
        var done = 0
        var holdsMuch = false
        while done < data.count {
            let part = part(offset + UInt64(done), UInt64(data.count - done))
            // SAFETY: `part` never reaches past what is left of the data.
            let source = unsafe UnsafeRawBufferPointer(rebasing: data[done..<done + Int(part.length)])
            let place = try enter(part.block)
            defer { leave() }
            if place.isFull && place.isPrepared, let start = place.start {
                try unsafe file.write(source, at: start + bitmapSize + part.within)
            } else if isDifferencing {
                holdsMuch = try unsafe writeSectors(source, part, place) || holdsMuch
            } else {
                let start = try makeWritable(part.block)
                try unsafe file.write(source, at: start + bitmapSize + part.within)
            }
            done += Int(part.length)
        }
        if holdsMuch { try flush() }
    }

    var canZeroFast: Bool { file.canZeroFast }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        try checkWritable()
        if try zero(offset, length, mayUnmap: mayUnmap) { try flush() }
    }

    /// Zeroes a range inside the block table, which may lie behind `size`. True when a flush is due, for the memory.
    func zero(_ offset: UInt64, _ length: UInt64, mayUnmap: Bool) throws(BlockError) -> Bool {
        var position = offset
        var holdsMuch = false
        while position < offset + length {
            let part = part(position, offset + length - position)
            let place = try enter(part.block)
            defer { leave() }
            if isDifferencing && !(place.isFull && place.isPrepared) {
                holdsMuch = try zeroSectors(part, place, mayUnmap: mayUnmap) || holdsMuch
            } else if let start = place.start {
                if !place.isPrepared { _ = try makeWritable(part.block) }
                try file.zero(at: start + bitmapSize + part.within, length: part.length, mayUnmap: mayUnmap)
            }
            // Else nothing is stored, here or in a parent: it reads as zeroes already.
            position += part.length
        }
        return holdsMuch
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        try checkWritable()
        var position = offset
        while position < offset + length {
            let part = part(position, offset + length - position)
            let place = try enter(part.block)
            defer { leave() }
            if let start = place.start {
                if !place.isPrepared { _ = try makeWritable(part.block) }
                if isDifferencing && !place.isFull {
                    try discardSectors(part, start: start)
                } else {
                    _ = try file.punch(at: start + bitmapSize + part.within, length: part.length)
                }
            }
            position += part.length
        }
    }
}
