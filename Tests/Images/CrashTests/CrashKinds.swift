import CoreTypes
import Foundation

/// The kinds of images that are put through crashes.
extension CrashTests {
    static let shapes: [CrashShape] = rawShapes + vhdShapes + qcow2Shapes + qcow2FeatureShapes

    private static let rawShapes: [CrashShape] = [
        CrashShape(name: "raw", format: .raw, size: 1 << 20, maker: .ours("")),
        CrashShape(name: "raw with half a last sector", format: .raw, size: (1 << 20) - 212, maker: .ours("")),
        CrashShape(
            name: "raw, resized and preallocated", format: .raw, size: 1 << 20, maker: .ours("preallocation=full"),
            favourite: .sizes),
    ]

    private static let vhdShapes: [CrashShape] = [
        CrashShape(name: "VHD fixed", format: .vhd, size: 1 << 20, maker: .ours("subformat=fixed")),
        CrashShape(
            name: "VHD fixed, resized and preallocated", format: .vhd, size: 1 << 20,
            maker: .ours("subformat=fixed,preallocation=falloc"), favourite: .sizes),
        CrashShape(name: "VHD dynamic", format: .vhd, size: 7 << 20, maker: .ours("subformat=dynamic"), steps: 30),
        CrashShape(name: "VHD dynamic by QEMU", format: .vhd, size: 6 << 20, maker: .qemu("force_size=on"), steps: 30),
        CrashShape(
            name: "VHD dynamic, resized with its table moving", format: .vhd, size: 5 << 20, maker: .ours(""),
            favourite: .sizes, steps: 30),
        CrashShape(
            name: "VHD dynamic, preallocated", format: .vhd, size: 4 << 20, maker: .ours("preallocation=full"),
            steps: 30),
        CrashShape(
            name: "VHD dynamic on a block device", format: .vhd, size: 5 << 20,
            maker: .onDevice("", length: 12 << 20), steps: 30),
        CrashShape(
            name: "VHD differencing", format: .vhd, size: 5 << 20, maker: .ours(""), parent: .raw, steps: 30),
        CrashShape(
            name: "VHD differencing in a chain of three", format: .vhd, size: 5 << 20, maker: .ours(""),
            parent: .vhdOverRaw, favourite: .sizes, steps: 30),
    ]

    private static let qcow2Shapes: [CrashShape] = [
        CrashShape(name: "qcow2", format: .qcow2, size: 3 << 20, maker: .ours("")),
        CrashShape(name: "qcow2 by QEMU", format: .qcow2, size: 3 << 20, maker: .qemu("")),
        CrashShape(
            name: "qcow2 version 2", format: .qcow2, size: 2 << 20, maker: .qemu("compat=0.10,cluster_size=4k"),
            isVersion2: true),
        CrashShape(
            name: "qcow2, 512-byte clusters, 64-bit refcounts", format: .qcow2, size: 2 << 20,
            maker: .qemu("cluster_size=512,refcount_bits=64"), longest: 120),
        CrashShape(
            name: "qcow2, 4 KiB clusters, 1-bit refcounts", format: .qcow2, size: 2 << 20,
            maker: .qemu("cluster_size=4k,refcount_bits=1")),
        CrashShape(
            name: "qcow2, 2 MiB clusters, 8-bit refcounts", format: .qcow2, size: 7 << 20,
            maker: .qemu("cluster_size=2M,refcount_bits=8"), steps: 30),
        CrashShape(
            name: "qcow2 with a backing file", format: .qcow2, size: 2 << 20, maker: .ours("cluster_size=16k"),
            parent: .raw),
        CrashShape(
            name: "qcow2 over VHDs", format: .qcow2, size: 2 << 20, maker: .ours("cluster_size=8k"),
            parent: .vhdOverRaw),
        CrashShape(
            name: "qcow2 on a block device", format: .qcow2, size: 2 << 20,
            maker: .onDevice("cluster_size=4k", length: 6 << 20)),
    ]

    private static let qcow2FeatureShapes: [CrashShape] = [
        CrashShape(
            name: "qcow2, lazy refcounts", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=8k,lazy_refcounts=on")),
        CrashShape(
            name: "qcow2, lazy refcounts on a block device", format: .qcow2, size: 2 << 20,
            maker: .onDevice("cluster_size=512,lazy_refcounts=on", length: 16 << 20)),
        CrashShape(
            name: "qcow2, lazy refcounts and many snapshots", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=16k,lazy_refcounts=on"), favourite: .snapshots),
        CrashShape(
            name: "qcow2, extended L2 entries", format: .qcow2, size: 3 << 20,
            maker: .ours("cluster_size=32k,extended_l2=on")),
        CrashShape(
            name: "qcow2, extended L2 entries with a backing file by QEMU", format: .qcow2, size: 2 << 20,
            maker: .qemu("cluster_size=16k,extended_l2=on"), parent: .raw),
        CrashShape(
            name: "qcow2, many snapshots", format: .qcow2, size: 2 << 20, maker: .ours("cluster_size=4k"),
            favourite: .snapshots),
        CrashShape(
            name: "qcow2, compressed with zlib", format: .qcow2, size: 2 << 20, maker: .ours(""),
            favourite: .compression),
        CrashShape(
            name: "qcow2, compressed with zstd in 4 KiB clusters", format: .qcow2, size: 1 << 20,
            maker: .ours("cluster_size=4k,compression_type=zstd"), favourite: .compression),
        CrashShape(
            name: "qcow2, compressed over a backing file with extended L2 entries", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=16k,extended_l2=on"), parent: .raw, favourite: .compression),
        CrashShape(
            name: "qcow2, bitmaps", format: .qcow2, size: 2 << 20, maker: .ours("cluster_size=4k"),
            favourite: .bitmaps),
        CrashShape(
            name: "qcow2, bitmaps and lazy refcounts in 512-byte clusters", format: .qcow2, size: 1 << 20,
            maker: .ours("cluster_size=512,lazy_refcounts=on"), favourite: .bitmaps, longest: 120),
        CrashShape(
            name: "qcow2, external data file", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=8k,data_file=data"), favourite: .sizes),
        CrashShape(
            name: "qcow2, raw external data file", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=8k,data_file=data,data_file_raw=on")),
        CrashShape(
            name: "qcow2, resized with its L1 table moving", format: .qcow2, size: 1 << 20,
            maker: .ours("cluster_size=512"), favourite: .sizes, longest: 120),
        CrashShape(
            name: "qcow2, resized and preallocated over a backing file", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=4k"), parent: .raw, favourite: .sizes),
        CrashShape(
            name: "qcow2, made with all clusters", format: .qcow2, size: 2 << 20,
            maker: .ours("cluster_size=16k,preallocation=metadata"), favourite: .sizes),
    ]

    /// Crash states for each kind of image.
    static let wanted = ProcessInfo.processInfo.environment["GANTRY_CRASH_STATES"].flatMap(Int.init) ?? 50

    /// The kinds whose names have GANTRY_CRASH_KINDS in them; all without it.
    static func isChosen(_ name: String) -> Bool {
        let part = ProcessInfo.processInfo.environment["GANTRY_CRASH_KINDS"] ?? ""
        return part.isEmpty || name.contains(part)
    }
}
