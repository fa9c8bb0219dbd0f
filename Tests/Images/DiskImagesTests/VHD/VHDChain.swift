import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Images made for tests, each over the one before, with a model of what the last shows.
struct VHDChain {
    let folder: ScratchFolder
    /// The base first.
    private(set) var references: [ImageReference] = []
    private(set) var model = MemoryDevice(size: 0)

    init() throws { folder = try ScratchFolder("chain") }

    /// The ancestors of the image at `index`, nearest first.
    func policy(_ index: Int? = nil) -> OpenPolicy {
        OpenPolicy(parents: .given(Array(references[..<(index ?? references.count - 1)].reversed())))
    }

    func open(_ index: Int? = nil, readOnly: Bool = false) throws -> any BlockDevice {
        let index = index ?? references.count - 1
        return try DiskImage.open(
            path: references[index].path, format: references[index].format, readOnly: readOnly, policy: policy(index))
    }

    /// Adds an image that others or the caller made.
    mutating func add(_ name: String, _ format: ImageFormat, size: UInt64) throws {
        references.append(ImageReference(path: folder.file(name), format: format))
        let next = MemoryDevice(size: size)
        for extent in try model.extents(at: 0, length: min(model.size, size)) where extent.kind == .data {
            try next.store(try model.bytes(at: extent.offset, count: Int(extent.length)), at: extent.offset)
        }
        model = next
    }

    /// Makes a child of the last image. Its blocks have another size than usual when `blockSize` is given.
    mutating func addChild(_ name: String, size: UInt64, blockSize: UInt64? = nil) throws {
        guard let last = references.last else { throw Tool.Failure(description: "no parent") }
        let path = folder.file(name)
        if let blockSize {
            let file = try ImageFile(path: path, access: .create)
            let parent = try VHDParent(last, name: last.path.split(separator: "/").last.map(String.init) ?? "")
            try VHDImage.make(file: file, size: size, blockSize: blockSize, parent: parent)
            file.close()
        } else {
            var options = CreateOptions()
            options.parent = .init(
                name: last.path.split(separator: "/").last.map(String.init) ?? "", format: last.format)
            try DiskImage.create(
                path: path, format: .vhd, size: size, options: options,
                policy: OpenPolicy(parents: .given(references.reversed()))
            ).close()
        }
        try add(name, .vhd, size: size)
    }

    /// Random requests on the last image and the model; then both are compared, and again after opening it anew.
    func exercise(_ count: Int, _ random: inout SeededRandom) throws {
        let device = try open()
        let spots: [UInt64] = [0, 512 << 10, 2 << 20, 3 << 20, 4 << 20, 6 << 20, device.size - 1]
        let comparison = ModelComparison(device, model: model, hotspots: spots, longest: 60_000)
        try comparison.run(count, random: &random)
        try device.close()
        let again = try open(readOnly: true)
        try comparison.compare(again)
        try again.close()
    }

    /// What libvhdi reads of the last image, with the ancestors that are VHDs.
    func contentByLibvhdi() throws -> [UInt8] {
        let script = """
            import pyvhdi, sys
            files = []
            for path in sys.argv[2:]:
                files.append(pyvhdi.file())
                files[-1].open(path)
            for child, parent in zip(files, files[1:]):
                child.set_parent(parent)
            with open(sys.argv[1], 'wb') as out:
                rest = files[0].get_media_size()
                while rest > 0:
                    piece = files[0].read_buffer(min(rest, 65536))
                    out.write(piece)
                    rest -= len(piece)
            """
        let paths = references.reversed().filter { $0.format == .vhd }.map(\.path)
        let output = folder.file("libvhdi.raw")
        try Tool.check("/usr/bin/python3", ["-c", script, output] + paths)
        return try content(output)
    }
}

extension VHDImage {
    /// An image with blocks of any size.
    static func make(
        file: any ImageStorage, size: UInt64, blockSize: UInt64, entries: UInt64? = nil, parent: VHDParent? = nil,
        tableOffset: UInt64 = 1536
    ) throws {
        let footer = VHDFooter(new: parent == nil ? .dynamic : .differencing, size: size)
        var header = VHDHeader(
            tableOffset: tableOffset, entryCount: entries ?? size.dividedRoundingUp(by: blockSize),
            blockSize: blockSize)
        var batmap = VHDBatmap(new: header, virtualSize: size)
        try file.store([UInt8](repeating: 0xFF, count: Int(header.tableSize)), at: header.tableOffset)
        try batmap.store([], file: file)
        var end = batmap.mapOffset + batmap.mapSize
        if let parent {
            let placed = parent.placed(at: end)
            header = VHDHeader(header, parent: parent, locators: placed.locators)
            try file.store(placed.bytes, at: end)
            end = placed.end
        }
        try file.store(header.encoded(), at: 512)
        try file.store(footer.bytes, at: 0)
        try file.store(footer.bytes, at: end)
    }
}
