import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// 4.25: every single change or barrier of a resize fails in turn. The image opens, a check finds leaks at worst, and the disk
/// is the old one or the new one, with all that it held.
@Suite struct QCOW2ResizeFailureTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var name: String
        var clusterBits = 9
        var version: UInt32 = 3
        var isExtended = false
        var isLazy = false
        var hasSnapshot = false
        var hasBitmap = false
        var dataFile: DataFile?
        var preallocation = CreateOptions.Preallocation.off
        /// The sizes are in this many KiB.
        var scale = 1
        enum DataFile: Sendable { case plain, raw }
        var testDescription: String { name }

        var options: CreateOptions {
            var options = CreateOptions(clusterSize: 1 << UInt64(clusterBits))
            options.qcow2Version = version
            options.extendedL2 = isExtended
            options.lazyRefcounts = isLazy
            if dataFile != nil { options.dataFile = "data" }
            options.dataFileIsRaw = dataFile == .raw
            return options
        }
    }

    static let shapes = [
        Shape(name: "plain"), Shape(name: "version 2", version: 2),
        Shape(name: "larger clusters", clusterBits: 12, scale: 10),
        Shape(name: "lazy", isLazy: true), Shape(name: "subclusters", clusterBits: 14, isExtended: true),
        Shape(name: "snapshot", hasSnapshot: true), Shape(name: "bitmap", hasBitmap: true),
        Shape(name: "snapshot and metadata", hasSnapshot: true, preallocation: .metadata),
        Shape(name: "falloc", clusterBits: 12, preallocation: .falloc),
        Shape(name: "full", clusterBits: 12, preallocation: .full),
        Shape(name: "data file", clusterBits: 12, dataFile: .plain),
        Shape(name: "data file and full", clusterBits: 12, dataFile: .plain, preallocation: .full),
        Shape(name: "raw data file", clusterBits: 12, dataFile: .raw),
    ]

    /// The files of an image.
    struct Files {
        var image: [UInt8]
        var data: [UInt8]?
    }

    private func open(_ files: Files, _ fault: OneFault? = nil) throws -> (QCOW2Image, StoreInMemory, StoreInMemory?) {
        let (store, data) = (StoreInMemory(files.image), files.data.map { StoreInMemory($0) })
        let image = try QCOW2Image.open(storage: store, readOnly: false, data: data)
        store.fault = fault
        data?.fault = fault
        return (image, store, data)
    }

    @Test("a resize survives the failure of any step (case 4.25)", arguments: shapes, [(97, 210), (210, 71)])
    func aResizeSurvivesTheFailureOfAnyStep(_ shape: Shape, _ sizes: (old: Int, new: Int)) throws {
        let (old, new) = (sizes.old * shape.scale << 10, sizes.new * shape.scale << 10)
        let (start, content) = try make(shape, old)
        // Without a fault: how many steps there are, and what comes of them.
        let whole = OneFault(nil)
        let (image, store, data) = try open(start, whole)
        try image.resize(to: UInt64(new), preallocation: shape.preallocation)
        try image.close()
        try verify(Files(image: store.bytes, data: data?.bytes), content, shape, [new], "no fault")
        #expect(whole.count > 4)
        for place in 0..<whole.count {
            let fault = OneFault(place)
            let (image, store, data) = try open(start, fault)
            var isDone = true
            do { try image.resize(to: UInt64(new), preallocation: shape.preallocation) } catch {
                isDone = false
                #expect(error.code == .io, "\(fault.failed ?? ""): \(error)")
            }
            let what = "\(shape.name), \(fault.failed ?? "nothing failed")"
            // The process ends here; or it goes on, and so does the file.
            try verify(Files(image: store.bytes, data: data?.bytes), content, shape, [old, new], what)
            fault.end()
            if !isDone { isDone = (try? image.resize(to: UInt64(new), preallocation: shape.preallocation)) != nil }
            let isClosed = (try? image.close()) != nil
            try verify(
                Files(image: store.bytes, data: data?.bytes), content, shape, isDone && isClosed ? [new] : [old, new],
                what + ", closed")
        }
    }

    private func make(_ shape: Shape, _ size: Int) throws -> (Files, [UInt8]) {
        let store = StoreInMemory()
        let data = shape.dataFile.map { _ in StoreInMemory([UInt8](repeating: 0, count: size)) }
        try QCOW2Image.create(storage: store, size: UInt64(size), options: shape.options)
        let image = try QCOW2Image.open(storage: store, readOnly: false, data: data)
        var content = [UInt8](repeating: 0, count: size)
        func write(_ range: Range<Int>, _ value: UInt8) throws {
            let bytes = [UInt8](repeating: value, count: range.count)
            try image.store(bytes, range.lowerBound)
            content.replaceSubrange(range, with: bytes)
        }
        if shape.hasBitmap { try image.createBitmap(name: "marks", granularity: 512) }
        try write(size / 10..<size / 2, 1)
        if shape.hasSnapshot { try image.createSnapshot(name: "before") }
        try write(size / 4..<size / 3, 2)
        try write(size - size / 5..<size - 300, 3)
        try image.close()
        return (Files(image: store.bytes, data: data?.bytes), content)
    }

    private func verify(
        _ files: Files, _ content: [UInt8], _ shape: Shape, _ sizes: [Int], _ what: String
    ) throws {
        // Lazy counts are right when the image has been opened for writing.
        if !shape.isLazy { try check(files, what) }
        let (image, store, data) = try open(files)
        let size = Int(image.size)
        #expect(sizes.contains(size), "\(what): \(size)")
        let shown = try image.bytes(0, size)
        let expected = Array(content.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - content.count))
        if shown != expected {
            let kept = min(sizes.min() ?? 0, size)
            let isKept = Array(shown[..<kept]) == Array(expected[..<kept])
            #expect(isKept, "\(what): what both sizes have")
            // What a shrink was to give up reads as before or as zeroes; what growth adds as zeroes.
            let isRest = (kept..<size).allSatisfy { shown[$0] == 0 || shown[$0] == expected[$0] }
            #expect(isRest, "\(what): the rest")
        }
        if shape.hasSnapshot {
            let view = try image.openSnapshot("before")
            let length = content.count / 2 - content.count / 10
            let isSame = try view.bytes(content.count / 10, length) == [UInt8](repeating: 1, count: length)
            #expect(isSame && view.size == UInt64(content.count), "\(what): the snapshot")
            try view.close()
        }
        if shape.hasBitmap, let marks = try image.bitmaps().first {
            // It is of use, and then knows all that was written before, or says that it is not.
            #expect(marks.name == "marks")
            if !marks.isInconsistent {
                let ranges = try image.dirtyRanges(ofBitmap: "marks")
                let start = UInt64(content.count / 10)
                #expect(ranges.contains { $0.contains(start) }, "\(what): the bitmap")
            }
        }
        // Work goes on.
        try image.store([9, 9, 9], 5)
        try image.close()
        try check(Files(image: store.bytes, data: data?.bytes), what + ", written")
    }

    private func check(_ files: Files, _ what: String) throws {
        let report = try ImageUnderKnife(files.image).check()
        #expect(report.corruptions == 0, "\(what): \(report.findings.prefix(3))")
    }
}
