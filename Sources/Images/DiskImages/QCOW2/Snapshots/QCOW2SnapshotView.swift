public import BlockIO
internal import Synchronization

extension QCOW2Image {
    /// What the snapshot's tables and clusters hold does not change as long as the snapshot exists: the view needs none
    /// of this image's locks. A snapshot that is viewed cannot be deleted.
    public func openSnapshot(_ name: String) throws(BlockError) -> any BlockDevice {
        try viewSnapshot(.either(name), closesImage: false)
    }

    /// `closesImage`: the view takes this image over, and closes it when it is closed itself.
    func viewSnapshot(_ snapshot: SnapshotSelector, closesImage: Bool) throws(BlockError) -> any BlockDevice {
        try checkUsable()
        return try metadata.locked { () throws(BlockError) in
            let table = try snapshotList.table(of: self)
            let entry = table.entries[try table.index(of: snapshot)]
            var words = try words(of: entry)
            let needed = geometry.l1EntriesNeeded(size: entry.diskSize)
            guard entry.diskSize <= UInt64(Int64.max), needed * 8 <= QCOW2Limits.l1Bytes else {
                throw BlockError(
                    .limitExceeded, "the snapshot says that its disk has \(entry.diskSize) bytes", path: storage.path)
            }
            if UInt64(words.count) < needed { words += [UInt64](repeating: 0, count: Int(needed) - words.count) }
            var header = header
            header.size = entry.diskSize
            header.l1Entries = UInt32(words.count)
            header.snapshotCount = 0
            let view = QCOW2Image(
                storage: QCOW2SnapshotStorage(image: self, id: entry.id, closesImage: closesImage), header: header,
                geometry: geometry, l1: QCOW2L1Table(words, at: entry.l1Offset), refcounts: nil,
                fileEnd: fileEnd.load(ordering: .relaxed), parent: parent.map(SharedParent.init))
            snapshotList.beginView(entry.id)
            return view
        }
    }
}

/// The file of an image as one of its snapshots sees it: for reading only, and not closed with the view.
final class QCOW2SnapshotStorage: ImageStorage {
    private let image: QCOW2Image
    private let id: [UInt8]
    private let closesImage: Bool
    private let isClosed = Atomic<Bool>(false)

    init(image: QCOW2Image, id: [UInt8], closesImage: Bool) {
        self.image = image
        self.id = id
        self.closesImage = closesImage
    }

    deinit { close() }

    /// The image's own, where it is a file.
    var file: ImageFile? { image.data as? ImageFile }
    var path: String { image.storage.path }
    var isReadOnly: Bool { true }
    var isBlockDevice: Bool { image.storage.isBlockDevice }
    func size() throws(BlockError) -> UInt64 { try image.storage.size() }
    func allocatedSize() throws(BlockError) -> UInt64 { try image.storage.allocatedSize() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try image.checkUsable()
        try unsafe image.storage.read(into: buffer, at: offset)
    }

    func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try image.checkUsable()
        try unsafe image.storage.readExactly(into: buffer, at: offset)
    }

    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        try image.checkUsable()
        return try image.storage.run(at: offset, end: end)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw refusal }
    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) { throw refusal }
    func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) { throw refusal }
    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool { throw refusal }
    func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool { throw refusal }
    func truncate(to length: UInt64) throws(BlockError) { throw refusal }
    func sync() throws(BlockError) {}

    private var refusal: BlockError { BlockError(.readOnly, "a snapshot cannot be written", path: path) }

    func close() {
        if isClosed.exchange(true, ordering: .relaxed) { return }
        image.metadata.locked { image.snapshotList.endView(id) }
        if closesImage { try? image.close() }
    }
}

/// The backing file of an image, for a view that does not close it.
private final class SharedParent: BlockDevice {
    private let device: any BlockDevice

    init(_ device: any BlockDevice) { self.device = device }

    var size: UInt64 { device.size }
    var isReadOnly: Bool { true }
    var preferredAlignment: UInt64 { device.preferredAlignment }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe device.read(into: buffer, at: offset)
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.appendExtents(to: &extents, at: offset, length: length)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw refusal }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) { throw refusal }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { throw refusal }
    func flush() throws(BlockError) {}
    func close() throws(BlockError) {}

    private var refusal: BlockError { BlockError(.readOnly, "a parent cannot be written") }
}
