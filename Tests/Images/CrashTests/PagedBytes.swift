import Glibc

/// The bytes of a file in pages, shared by all copies until one of them changes: hundreds of states of one file cost
/// little. A page that was never written, or was punched, is not there; it and what lies past the end read as zeroes.
struct PagedBytes: Sendable {
    static let pageSize = 4096

    /// Written only while one `PagedBytes` alone refers to it.
    @safe
    private final class Page: @unchecked Sendable {
        // @unchecked: shared pages are never written; see above.
        // SAFETY: `pageSize` bytes, allocated in init, freed in deinit.
        let bytes: UnsafeMutableRawPointer

        init(copying other: Page?) {
            unsafe bytes = .allocate(byteCount: PagedBytes.pageSize, alignment: 16)
            if let other {
                unsafe memcpy(bytes, other.bytes, PagedBytes.pageSize)
            } else {
                unsafe memset(bytes, 0, PagedBytes.pageSize)
            }
        }

        deinit { unsafe bytes.deallocate() }
    }

    private(set) var count = 0
    private var pages: [Page?] = []

    init() {}

    init(_ content: [UInt8]) { unsafe content.withUnsafeBytes { unsafe write($0, at: 0) } }

    /// Changes the length: what is cut off is lost, what is new reads as zeroes.
    mutating func resize(to length: Int) {
        if length < count {
            zero(length..<count)
            pages.removeLast(pages.count - (length + Self.pageSize - 1) / Self.pageSize)
        } else {
            let missing = (length + Self.pageSize - 1) / Self.pageSize - pages.count
            if missing > 0 { pages.append(contentsOf: repeatElement(nil, count: missing)) }
        }
        count = length
    }

    mutating func write(_ data: UnsafeRawBufferPointer, at offset: Int) {
        if offset + data.count > count { resize(to: offset + data.count) }
        forEachPart(offset..<offset + data.count) { page, within, done, length in
            // SAFETY: the part lies inside the page and inside the data.
            unsafe memcpy(
                page.bytes + within, data.baseAddress.unsafelyUnwrapped + done, length)
        }
    }

    /// Makes a range inside the file read as zeroes; whole pages become holes.
    mutating func zero(_ range: Range<Int>) {
        var position = range.lowerBound
        let end = min(range.upperBound, count)
        while position < end {
            let index = position / Self.pageSize
            let next = min((index + 1) * Self.pageSize, end)
            if next - position == Self.pageSize {
                pages[index] = nil
            } else if pages[index] != nil {
                let page = own(index)
                // SAFETY: inside the page.
                unsafe memset(page.bytes + position % Self.pageSize, 0, next - position)
            }
            position = next
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        var done = 0
        while done < buffer.count {
            let position = offset + done
            let within = position % Self.pageSize
            var length = min(Self.pageSize - within, buffer.count - done)
            // SAFETY: the part lies inside the page and inside the buffer.
            let target = unsafe buffer.baseAddress.unsafelyUnwrapped + done
            if position >= count {
                length = buffer.count - done
                unsafe memset(target, 0, length)
            } else if let page = pages[position / Self.pageSize] {
                unsafe memcpy(target, page.bytes + within, length)
            } else {
                unsafe memset(target, 0, length)
            }
            done += length
        }
    }

    /// The bytes from 0 to the end.
    var array: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]), at: 0)
            filled = count
        }
    }

    /// Whether something was written to the page that holds the byte.
    func isStored(_ offset: Int) -> Bool { offset < count && pages[offset / Self.pageSize] != nil }

    private mutating func own(_ index: Int) -> Page {
        if isKnownUniquelyReferenced(&pages[index]), let page = pages[index] { return page }
        let page = Page(copying: pages[index])
        pages[index] = page
        return page
    }

    private mutating func forEachPart(_ range: Range<Int>, _ body: (Page, Int, Int, Int) -> Void) {
        var position = range.lowerBound
        while position < range.upperBound {
            let within = position % Self.pageSize
            let length = min(Self.pageSize - within, range.upperBound - position)
            body(own(position / Self.pageSize), within, position - range.lowerBound, length)
            position += length
        }
    }
}
