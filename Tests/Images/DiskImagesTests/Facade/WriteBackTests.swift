import CoreTypes
import DiskImages
import TestSupport
import Testing

@testable import BlockIO

/// Images pass on to their files what is to be written ahead of a flush.
@Suite struct ImageWriteBackTests {
    @Test(arguments: ["raw", "fixed", "dynamic", "qcow2", "data"])
    func everyFormatHasItsFilesWritten(_ kind: String) throws {
        let folder = try ScratchFolder("write-back")
        let path = folder.file("image")
        var options = CreateOptions()
        if kind == "fixed" { options.vhdSubformat = .fixed }
        if kind == "data" { options.dataFile = folder.file("data") }
        let format: ImageFormat = kind == "raw" ? .raw : kind == "qcow2" || kind == "data" ? .qcow2 : .vhd
        let image = try DiskImage.create(path: path, format: format, size: 8 << 20, options: options)
        try image.store([UInt8](repeating: 9, count: 3 << 20), at: 1 << 20)
        let paths = kind == "data" ? [path, folder.file("data")] : [path]
        let files = try paths.map { try ImageFile(path: $0, access: .readOnly, locking: false) }
        // Negative: the kernel does not tell.
        let isTold = files.contains { $0.dirtyPages(at: 0, length: 1 << 30) > 0 }
        try image.writeBack { false }
        for file in files { #expect(file.dirtyPages(at: 0, length: 1 << 30) <= 0, "\(file.path), told: \(isTold)") }
        try image.flush()
        try image.close()
    }
}
