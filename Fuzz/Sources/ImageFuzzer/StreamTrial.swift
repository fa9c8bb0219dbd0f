import BlockIO
import CoreTypes

@testable import DiskImages

/// Bytes that come in pieces of a few sizes, as from a pipe.
private final class PiecewiseSource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0
    private let piece: Int

    init(_ bytes: [UInt8], piece: Int) {
        self.bytes = bytes
        self.piece = piece
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        precondition(buffer.count > 0, "a source is asked for nothing")
        let count = min(piece, buffer.count, bytes.count - position)
        bytes[position..<position + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
        position += count
        return count
    }
}

/// Streams: what the reader of a pipe makes of an input must be what opening the same bytes as a file shows.
enum StreamTrial {
    private static let largest: UInt64 = 16 << 20

    /// The first byte chooses the format or the compression, and the sizes of the pieces.
    static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let bytes = Array(input.dropFirst())
        let source = PiecewiseSource(bytes, piece: [7, 512, 4096, 1 << 20][Int(first >> 6)])
        switch first & 7 {
        case 0: decompress(.gzip, source)
        case 1: decompress(.xz, source)
        case 2: decompress(.zstd, source)
        case 3: read(source, .raw, bytes)
        case 4: read(source, .vmdk, bytes)
        case 5: read(source, .qcow2, bytes)
        case 7: spooled(first, bytes)
        default: read(source, .vhd, bytes)
        }
    }

    /// What is read out of order, VHDX or (32) VMDK, in larger pieces, with (8) the parent that it may have.
    private static func spooled(_ first: UInt8, _ input: [UInt8]) {
        let isVMDK = first & 32 != 0
        let bytes = isVMDK ? input : Checksums.spreadVHDX(input).array
        let source = PiecewiseSource(bytes, piece: [4096, 65536, 100_001, 1 << 20][Int(first >> 6)])
        let family = isVMDK ? ImportedFamily.policy(vmdk: input) : ImportedFamily.policy(vhdx: input)
        let imports = first & 8 == 0 ? nil : family
        read(source, isVMDK ? .vmdk : .vhdx, bytes, spooledWith: imports ?? .standalone)
    }

    private static func decompress(_ kind: StreamCompression, _ source: PiecewiseSource) {
        var limits = DecompressionLimits(outputBytes: 4 << 20)
        limits.xzMemory = 16 << 20
        guard let content = try? kind.decompressed(source, limits: limits) else { return }
        let buffer = AlignedBuffer(count: 65536)
        while let count = try? content.read(into: buffer.bytes), count > 0 {}
    }

    private static func read(
        _ source: PiecewiseSource, _ format: StreamFormat, _ bytes: [UInt8], spooledWith imports: ImportPolicy? = nil
    ) {
        var options = StreamReadOptions()
        if let imports {
            options.spillFolder = ScratchFolder.path
            options.imports = imports
        }
        options.largestVirtualSize = largest
        options.largestMetadata = 16 << 20
        // Images that say their size are refused where it is another.
        let saysNone = format == .vhd && !bytes.starts(with: Array("conectix".utf8))
        if format == .raw || (saysNone && bytes.count % 3 == 0) { options.rawSize = UInt64(bytes.count & ~511) }
        var device: MemoryDevice?
        let make = { (size: UInt64) throws(BlockError) -> any BlockDevice in
            precondition(size <= largest + 512, "a disk above the limit is made")
            let made = MemoryDevice(size: size)
            device = made
            return made
        }
        guard (try? DiskImage.readStream(from: source, as: format, options: options, into: .make(make))) != nil,
            let device
        else { return }
        compare(device, format, bytes, imports)
    }

    /// Damage may be read in more than one way.
    private static func isSound(_ store: FuzzStore, _ format: StreamFormat) -> Bool {
        if format == .vhdx || format == .vmdk { return true }
        let report =
            format == .vhd
            ? try? VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
            : try? QCOW2Image.check(
                storage: store, repair: nil, policy: .standalone, cancellation: CancellationFlag())
        return report?.findings.isEmpty ?? false
    }

    private static func compare(
        _ device: MemoryDevice, _ format: StreamFormat, _ bytes: [UInt8], _ imports: ImportPolicy?
    ) {
        let store = FuzzStore(PagedBytes(bytes), readOnly: true)
        let opened: (any BlockDevice)? =
            switch format {
            case .qcow2: try? QCOW2Image.open(storage: store, readOnly: true)
            case .vhd: try? VHDImage.open(file: store, readOnly: true)
            case .vhdx: try? VHDXImage.open(storage: store, context: ImportContext(policy: imports ?? .standalone))
            // The other kind is read by its markers from a stream, and by its tables from a file.
            case .vmdk:
                imports.flatMap { try? VMDKImage.open(storage: store, context: ImportContext(policy: $0)) }
            default: nil
            }
        defer { try? opened?.close() }
        guard let opened, opened.size == device.size, isSound(store, format) else { return }
        let (here, there) = (AlignedBuffer(count: 65536), AlignedBuffer(count: 65536))
        var position: UInt64 = 0
        while position < device.size {
            let count = Int(min(65536, device.size - position))
            let ours = UnsafeMutableRawBufferPointer(rebasing: here.bytes[..<count])
            let theirs = UnsafeMutableRawBufferPointer(rebasing: there.bytes[..<count])
            guard (try? opened.read(into: theirs, at: position)) != nil else { return }
            guard (try? device.read(into: ours, at: position)) != nil else { return }
            guard ours.elementsEqual(theirs) else {
                fatalError("a stream and a file of the same bytes differ near \(position)")
            }
            position += UInt64(count)
        }
    }
}
