import BlockIO
import CoreTypes
import Glibc
import NBDProtocol

@testable import DiskImages

/// The parser under test, by the environment variable GANTRY_FUZZ_TARGET.
enum FuzzTarget: String, CaseIterable {
    case vhd
    case qcow2
    case vhdx
    case vmdk
    case stream
    case probe
    case options
    case nbd
    case gate
    case cbtlog
    case chain
    case change
    case datafile
    case memory

    func run(_ input: [UInt8]) {
        switch self {
        case .vhd:
            let file = PagedBytes(Checksums.repairedVHD(input))
            ImageTrial(
                open: { store throws(BlockError) in try VHDImage.open(file: store, readOnly: store.isReadOnly) },
                info: { store throws(BlockError) in _ = try VHDImage.info(file: store) },
                check: { store, repair throws(BlockError) in
                    try VHDImage.check(file: store, repair: repair, cancellation: CancellationFlag())
                }
            ).run(file)
        case .qcow2:
            ImageTrial(
                open: { store throws(BlockError) in
                    try QCOW2Image.open(storage: store, readOnly: store.isReadOnly)
                },
                info: { store throws(BlockError) in _ = try QCOW2Image.info(storage: store) },
                check: { store, repair throws(BlockError) in
                    try QCOW2Image.check(
                        storage: store, repair: repair, policy: .standalone, cancellation: CancellationFlag())
                }
            ).run(PagedBytes(input))
        case .vhdx:
            let file = Checksums.spreadVHDX(input)
            imported(file, VHDXImage.open, VHDXImage.info)
            if let family = ImportedFamily.policy(vhdx: input) {
                imported(file, VHDXImage.open, VHDXImage.info, family)
            }
        case .vmdk:
            let file = PagedBytes(input)
            imported(file, VMDKImage.open, VMDKImage.info)
            if let family = ImportedFamily.policy(vmdk: input) {
                imported(file, VMDKImage.open, VMDKImage.info, family)
            }
        case .stream: StreamTrial.run(input)
        case .nbd: HandshakeTrial.run(input)
        case .gate: GateTrial.run(input)
        case .cbtlog: ChangeLogTrial.run(input)
        case .chain: ChainTrial.run(input)
        case .change: ChangeTrial.run(input, dataFile: false)
        case .datafile: ChangeTrial.run(input, dataFile: true)
        case .memory: MemoryCodingTrial.run(input)
        case .probe:
            let tail = input.count >= 512 ? Array(input.suffix(512)) : []
            _ = ProbeResult(head: Array(input.prefix(65536)), tail: tail, length: UInt64(input.count))
        case .options:
            let text = String(decoding: input, as: UTF8.self)
            guard let options = try? CreateOptions(parsing: text) else { return }
            _ = try? options.clusterBits()
        }
    }

    private func imported<Device: BlockDevice>(
        _ content: PagedBytes,
        _ open: (any ImageStorage, ImportContext) throws(BlockError) -> Device,
        _ info: (any ImageStorage) throws(BlockError) -> ImportInfo, _ policy: ImportPolicy = .standalone
    ) {
        _ = try? info(FuzzStore(content, readOnly: true))
        guard let device = try? open(FuzzStore(content, readOnly: true), ImportContext(policy: policy)) else {
            return
        }
        ImageTrial.look(device)
        try? device.close()
    }

    private func imported(
        _ content: PagedBytes,
        _ open: (any ImageStorage, ImportContext) throws(BlockError) -> any BlockDevice,
        _ info: (any ImageStorage) throws(BlockError) -> ImportInfo, _ policy: ImportPolicy = .standalone
    ) {
        _ = try? info(FuzzStore(content, readOnly: true))
        guard let device = try? open(FuzzStore(content, readOnly: true), ImportContext(policy: policy)) else {
            return
        }
        ImageTrial.look(device)
        try? device.close()
    }
}

/// CPU seconds that one input may take.
private let longest = 2.0

private let chosen: FuzzTarget = {
    let name = getenv("GANTRY_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
        fatalError("GANTRY_FUZZ_TARGET is one of: \(known)")
    }
    return target
}()

private func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    let start = cpuSeconds()
    chosen.run(input)
    let took = cpuSeconds() - start
    if took > longest { fatalError("the input of \(count) bytes took \(took) s") }
    return 0
}
