import BlockIO
import CoreTypes
import DiskImages
import TestSupport
import Testing

/// What was written out outlives the process, as a copy of the file in the page cache shows.
@Suite struct WriteOutTests {
    private static let size: UInt64 = 8 << 20

    private func bytes(_ device: any BlockDevice, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
        try device.bytes(at: offset, count: count)
    }

    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2], [false, true])
    func whatWasWrittenOutIsInTheFile(format: ImageFormat, isOverParent: Bool) throws {
        if format == .raw, isOverParent { return }
        let folder = try ScratchFolder("out")
        let (path, copies) = (folder.file("image"), try ScratchFolder("copies"))
        let copy = copies.file("copy")
        var (options, policy) = (CreateOptions(), OpenPolicy.standalone)
        if isOverParent {
            try DiskImage.create(path: folder.file("base"), format: format, size: Self.size).close()
            // The open image keeps QEMU from its own.
            try Tool.check("cp", [folder.file("base"), copies.file("base")])
            options.parent = CreateOptions.Parent(name: "base", format: format)
            policy.parents = .given([ImageReference(path: folder.file("base"), format: format)])
        }
        try DiskImage.create(path: path, format: format, size: Self.size, options: options, policy: policy).close()
        let device = try DiskImage.open(path: path, format: format, readOnly: false, policy: policy)
        func requireInFile(_ places: [UInt64], isWhole: Bool = true) throws {
            try Tool.check("cp", [path, copy])
            if format == .qcow2, isWhole { try Tool.check("qemu-img", ["check", "-f", "qcow2", copy]) }
            let other = try DiskImage.open(path: copy, format: format, readOnly: false, policy: policy)
            for place in places { #expect(try bytes(other, place, 3000) == bytes(device, place, 3000), "\(place)") }
            try other.close()
        }
        var places: [UInt64] = []
        for place in stride(from: 0 as UInt64, to: Self.size, by: 1 << 20) {
            try device.store([UInt8](repeating: UInt8(place >> 20) + 1, count: 3000), at: place + 70_000)
            places.append(place + 70_000)
            if place == 0 { #expect(device.hasVolatileMetadata == (format != .raw)) }
            let isOut = try device.writeOut()
            #expect(isOut && !device.hasVolatileMetadata)
            if place == 3 << 20 { try requireInFile(places) }
        }
        try requireInFile(places)
        // Overwritten and given back, then made durable as always.
        try device.writeZeroes(at: places[0], length: 1 << 20, mayUnmap: true)
        let isOut = try device.writeOut()
        #expect(isOut)
        // What was freed is so after the flush only.
        try requireInFile(places, isWhole: false)
        try device.flush()
        try device.store([9], at: 5)
        try device.flush()
        try requireInFile(places + [0])
        try device.close()
    }
}
