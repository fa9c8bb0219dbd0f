import BlockIO
import CoreTypes
import Glibc

/// A check of one VHD, and its repair. Memory: the block table (4 bytes for each block), and twice that at most.
///
/// What a crash can leave is no corruption: a missing or older copy of the footer, a map of full blocks that is behind,
/// space behind the last block. Every repair is one that opening the image for writing would make too, or one that
/// `all` allows: checksums are recomputed then, because what they protected is read as it stands, and entries of the
/// block table that name no possible place are dropped, because nobody can follow them.
struct VHDCheck {
    let file: any ImageStorage
    let repair: RepairChoice?
    /// Which size of the footer is the disk's: blocks behind it are nobody's.
    let size: OpenPolicy.VHDSize
    /// Takes an image that was disabled on purpose; it stays so.
    let opensDisabled: Bool
    let cancellation: CancellationFlag
    var report = CheckReport()
    /// What is found can be put right: the image may be written.
    var canRepair = true
    /// Repairs that were found to be needed and are allowed.
    var work: Set<Work> = []

    enum Work: Hashable {
        /// Footers alike, nothing behind them.
        case order
        /// The end of a fixed image that was growing.
        case growth
        case staleEntries
        /// Entries that name no place where a block can be. Done at once, and alone.
        case wrongEntries
        case batmap
        case footer
        case locators
        case holes
    }

    init(
        file: any ImageStorage, repair: RepairChoice?, size: OpenPolicy.VHDSize = .creator, opensDisabled: Bool = false,
        cancellation: CancellationFlag
    ) {
        self.file = file
        self.repair = repair
        self.size = size
        self.opensDisabled = opensDisabled
        self.cancellation = cancellation
    }

    mutating func run() throws(BlockError) -> CheckReport {
        try repairChecksums()
        var layout = try VHDLayout(file: file, opensDisabled: opensDisabled, size: size)
        canRepair = !layout.mustNotWrite
        if layout.interruptedGrowth != nil {
            find(.note, "an enlargement of the disk was cut short; it has its size from before", by: .leaks, .growth)
            if work.remove(.growth) != nil {
                try FixedVHD(file: file, layout: layout).undoGrowth()
                layout = try VHDLayout(file: file, opensDisabled: opensDisabled, size: size)
            }
        }
        guard let header = layout.header else {
            try checkFixed(layout)
            return report
        }
        let device = try open(layout, header)
        if layout.mustNotWrite { find(.corruption, layout.notes.last ?? "the size is wrong") }
        if !layout.footersAgree {
            find(.note, "the two copies of the footer differ, or one is missing", by: .leaks, .order)
        }
        examine(layout.footer)
        examine(header, of: layout.footer)
        try examineLocators(header, layout)
        guard let device else { return report }
        try examineTable(device)
        try examineBatmap(device)
        if !work.isEmpty { try put(right: device) }
        return report
    }

    private mutating func checkFixed(_ layout: VHDLayout) throws(BlockError) {
        canRepair = canRepair && layout.contentEnd + UInt64(VHDFooter.size) == layout.fileLength
        if layout.mustNotWrite { find(.corruption, layout.notes.last ?? "the size is wrong") }
        examine(layout.footer)
        report.imageEnd = layout.fileLength
        if work.isEmpty { return }
        try file.store(Self.put(right: layout.footer).bytes, at: layout.contentEnd)
        try file.sync()
    }

    /// Notes a finding. `by`: the least repair that puts it right, and what that is; the work is done after all findings
    /// were made, or the check throws.
    mutating func find(
        _ severity: CheckReport.Severity, _ message: @autoclosure () -> String, offset: UInt64? = nil,
        count: UInt64 = 1, by choice: RepairChoice? = nil, _ needed: Work? = nil
    ) {
        var isRepaired = false
        if canRepair, let repair, let choice, let needed, repair == .all || choice == .leaks {
            work.insert(needed)
            isRepaired = true
        }
        report.add(severity, message(), offset: offset, count: count, isRepaired: isRepaired)
    }

    func checkCancelled() throws(BlockError) {
        if cancellation.isCancelled { throw BlockError(.cancelled, "the check was cancelled") }
    }

    private mutating func open(_ layout: VHDLayout, _ header: VHDHeader) throws(BlockError) -> DynamicVHD? {
        do throws(BlockError) {
            return try DynamicVHD(file: file, layout: layout, header: header)
        } catch {
            if error.code != .corrupt { throw error }
            report.imageEnd = layout.contentEnd
            let isChanged = try examineDamagedTable(layout, header)
            canRepair = false
            // The run that drops entries cuts nothing off: what lies behind the last block that is named may be one of theirs.
            if isChanged { work.formIntersection([.locators]) }
            if isChanged, report.corruptions == 0 { return try DynamicVHD(file: file, layout: layout, header: header) }
            if report.corruptions == 0 { find(.corruption, error.message, offset: error.offset) }
            return nil
        }
    }

    /// What of a footer can be wrong while it is valid.
    private mutating func examine(_ footer: VHDFooter) {
        if VHDFooter.isPoisoned(footer.bytes) {
            find(.note, "the VHD was disabled on purpose (v_poison), and stays so")
        }
        let exact = VHDGeometry(size: footer.currentSize)
        if !footer.followsGeometry, footer.geometry != .maximum, footer.geometry.size > exact.size {
            find(
                .note, "the geometry is larger than the disk; blktap's check refuses that", by: .all, .footer)
        }
        if BigEndianBytes(footer.bytes).u32(8) & 2 == 0 {
            find(.note, "a bit of the footer that must always be set is not", by: .all, .footer)
        }
        if footer.uuid == nil { find(.note, "the image has no UUID: it cannot be the parent of another") }
        // An hour, for clocks that differ.
        if Int(footer.timestamp) > time(nil) - 946_684_800 + 3600 {
            find(.note, "the image was made in the future, says its footer")
        }
    }

    static func put(right footer: VHDFooter) -> VHDFooter {
        let base = footer.changed { $0[11] |= 2 }
        return base.followsGeometry || base.geometry == .maximum ? base : base.with(size: base.currentSize)
    }

    private mutating func examine(_ header: VHDHeader, of footer: VHDFooter) {
        if footer.kind != .differencing && header.bytes[40..<768].contains(where: { $0 != 0 }) {
            find(.note, "the image names a parent, and its type says that it has none")
        }
        if footer.headerOffset != 512 {
            find(.note, "the header is not directly behind the first footer; some programs look for it only there")
        }
    }

    private mutating func examineLocators(_ header: VHDHeader, _ layout: VHDLayout) throws(BlockError) {
        guard layout.footer.kind == .differencing else { return }
        let names = try VHDParentNames(file: file, header: header, fileLength: layout.fileLength)
        let canRewrite = !names.names.isEmpty
        for note in names.notes {
            if canRewrite { find(.corruption, note, by: .all, .locators) } else { find(.corruption, note) }
        }
        if !canRewrite { find(.corruption, "the image needs a parent and holds no name of it") }
        if canRewrite && names.notes.isEmpty && header.locators.isEmpty {
            find(.note, "only the header names the parent", by: .all, .locators)
        }
    }
}

extension VHDImage {
    static func check(
        file: any ImageStorage, repair: RepairChoice?, size: OpenPolicy.VHDSize = .creator, opensDisabled: Bool = false,
        cancellation: CancellationFlag
    ) throws(BlockError) -> CheckReport {
        var check = VHDCheck(
            file: file, repair: repair, size: size, opensDisabled: opensDisabled, cancellation: cancellation)
        return try check.run()
    }
}
