import BlockIO
import CoreTypes

@testable import DiskImages

/// An image that is opened and changed as the input says. Whatever of it is refused or fails: the disk reads as a model of it
/// does, an image without damage stays so at every moment, snapshots keep what they held, and no bitmap misses a change.
///
/// The first byte says whether the image is a VHD (lowest bit) and how much of the data file an image that has one finds; the
/// next 64 are operations of four bytes (`ChangeOperation`); the rest is the image.
///
/// Its `fatalError`s are findings: a crash is how a fuzz target reports what must not happen.
struct ChangeTrial {
    enum Kind { case vhd, qcow2, qcow2WithDataFile }

    static let headerLength = 1 + 16 * ChangeOperation.length
    /// Bytes of the largest disk whose content is compared.
    private static let largestModel: UInt64 = 512 << 10

    private let kind: Kind
    private var file: FuzzStore
    private var data: FuzzStore?
    private var device: (any BlockDevice)?
    private var model: DiskModel?
    /// No change since the last flush, or none ever.
    private var isFlushed = true

    static func run(_ input: [UInt8], dataFile: Bool) {
        guard input.count > headerLength else { return }
        let image = Array(input[headerLength...])
        // An incompatible feature's bit: the data are elsewhere.
        if dataFile, image.count < 80 || image[79] & 4 == 0 { return }
        let kind: Kind = dataFile ? .qcow2WithDataFile : input[0] & 1 == 1 ? .vhd : .qcow2
        let file = FuzzStore(PagedBytes(kind == .vhd ? Checksums.repairedVHD(image) : image), readOnly: false)
        var data: FuzzStore?
        if dataFile {
            let bytes = [UInt8](unsafeUninitializedCapacity: Int(input[0]) << 9) { buffer, count in
                count = Int(input[0]) << 9
                for index in 0..<count {
                    buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: index >> 5))
                }
            }
            data = FuzzStore(PagedBytes(bytes), readOnly: false)
        }
        var trial = ChangeTrial(kind: kind, file: file, data: data)
        guard let report = try? trial.check(), report.corruptions == 0 else {
            // Damage may end in any error, and in no trap.
            trial.play(input[1..<headerLength])
            return
        }
        trial.model = DiskModel()
        trial.play(input[1..<headerLength])
        trial.reopen(afterCrash: false)
        trial.compareAll()
        try? trial.device?.close()
    }

    private init(kind: Kind, file: FuzzStore, data: FuzzStore?) {
        self.kind = kind
        self.file = file
        self.data = data
    }

    private func open() throws(BlockError) -> any BlockDevice {
        switch kind {
        case .vhd:
            return try VHDImage.open(
                file: file, readOnly: false, chain: ChainContext(policy: OpenPolicy(parents: .ignored)))
        case .qcow2, .qcow2WithDataFile:
            return try QCOW2Image.open(
                storage: file, readOnly: false, chain: ChainContext(policy: OpenPolicy(parents: .ignored)), data: data)
        }
    }

    private func check() throws(BlockError) -> CheckReport {
        let store = FuzzStore(file.content, readOnly: true)
        switch kind {
        case .vhd: return try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        case .qcow2, .qcow2WithDataFile:
            return try QCOW2Image.check(
                storage: store, repair: nil, policy: .standalone, cancellation: CancellationFlag())
        }
    }

    private mutating func play(_ bytes: ArraySlice<UInt8>) {
        guard let opened = try? open() else {
            model = nil
            return
        }
        device = opened
        if opened.size > Self.largestModel { model = nil }
        if let read = model?.start(opened), !read { model = nil }
        var rest = bytes
        while let operation = ChangeOperation(&rest) {
            switch operation.kind {
            case .reopen: reopen(afterCrash: false)
            case .crash: reopen(afterCrash: true)
            case .failChanges:
                let store = operation.second & 1 == 0 ? file : data ?? file
                store.changesLeft = operation.first == 255 ? nil : Int(operation.first & 31)
            case .failBarriers: if file.barriersLeft == nil { file.barriersLeft = Int(operation.first & 7) }
            default: perform(operation)
            }
            guard device != nil else { return }
        }
    }

    private mutating func perform(_ operation: ChangeOperation) {
        guard let device else { return }
        if operation.kind == .flush {
            if (try? device.flush()) != nil { isFlushed = true }
            return
        }
        isFlushed = false
        guard var changed = model else { return operation.perform(on: device) }
        // With the model here alone, its pages are its own.
        model = nil
        if changed.apply(operation, to: device) { model = changed }
    }

    /// Opens the image anew: closed, or as a process that died leaves it. What it lost, if anything, is what was not flushed.
    private mutating func reopen(afterCrash: Bool) {
        guard let old = device else { return }
        var isKept = isFlushed
        if !afterCrash {
            isKept = (try? old.close()) != nil || isFlushed
        }
        device = nil
        file = FuzzStore(file.content, readOnly: false)
        data = data.map { FuzzStore($0.content, readOnly: false) }
        // Counts that are kept lazily, or are about to change together, are put right when the image is opened.
        let head = (try? file.array(at: 0, count: 80)) ?? []
        let isDirty = kind != .vhd && head.count == 80 && head[7] >= 3 && head[79] & 1 != 0
        if model != nil, !isDirty { requireSound() }
        do throws(BlockError) {
            device = try open()
        } catch {
            if model != nil { fatalError("an image that was sound cannot be opened any more: \(error)") }
            return
        }
        guard let opened = device else { return }
        if model != nil, isDirty { requireSound() }
        isFlushed = true
        model?.settle(with: opened, isKept: isKept)
    }

    private func requireSound() {
        do {
            let report = try check()
            if report.corruptions > 0 {
                fatalError("a sound image was damaged: \(report.findings.map(\.message).joined(separator: "; "))")
            }
        } catch { fatalError("an image that was sound cannot be checked any more: \(error)") }
    }

    private func compareAll() {
        guard let device else { return }
        model?.compareSnapshots(of: device)
    }
}
