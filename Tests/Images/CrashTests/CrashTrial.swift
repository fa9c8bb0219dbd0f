import BlockIO
import CoreTypes
import Foundation
import TestSupport

@testable import DiskImages

/// One crash, judged: the image that it left must open, hold what was durable, check without damage and go on.
struct CrashTrial {
    let shape: CrashShape
    let history: DiskHistory
    let folder: ScratchFolder

    struct Verdict: Error, CustomStringConvertible {
        let description: String
    }

    /// Throws a `Verdict` for whatever is wrong.
    /// - Parameter asksQEMU: qemu-img judges as well, before and after further work.
    func judge(_ files: CrashFiles, cut: Int, asksQEMU: Bool, worksOn: Bool, _ random: inout SeededRandom) throws {
        let stores = files.stores()
        let device = try attempt("open") { try open(stores) }
        let found = try attempt("read") { try CrashSession.contents(device) }
        if let text = history.contradiction(found, cut: cut) { throw Verdict(description: text) }
        let recovered = files.now(stores)
        var expected = found.numbers
        if worksOn { try attempt("work on") { try work(device, &expected, &random) } }
        try attempt("close") { try device.close() }
        if asksQEMU { try askQEMU(recovered, found, isClosed: false) }
        let report = try attempt("check") {
            try shape.check(files.now(stores).stores(readOnly: true)[0])
        }
        if let report, report.corruptions > 0 {
            let texts = report.findings.filter { $0.severity == .corruption }.map(\.message)
            if let text = texts.first(where: { !isHarmless($0) }) {
                throw Verdict(description: "after recovery the check finds damage: \(text)")
            }
        }
        if worksOn {
            let again = try attempt("open again") {
                try shape.open(files.now(stores).stores(readOnly: true))
            }
            let now = try attempt("read again") { try CrashSession.contents(again) }
            if let sector = expected.indices.first(where: { $0 >= now.numbers.count || now.numbers[$0] != expected[$0] }
            ) {
                throw Verdict(
                    description:
                        "sector \(sector) holds \(now.numbers[sector]) after work went on, not \(expected[sector])")
            }
            if now.snapshots != found.snapshots {
                throw Verdict(description: "work after the crash changed a snapshot")
            }
            if let text = history.bitmaps.contradiction(now, cut: cut) { throw Verdict(description: "closed: \(text)") }
            if (again as? QCOW2Image)?.isRawData == true {
                let bytes = stores[1].bytes.array
                // A change of the size that was cut short may have left it longer.
                if unsafe !bytes.withUnsafeBytes({ unsafe DiskHistory.numbers($0) }).starts(with: expected) {
                    throw Verdict(description: "the raw data file alone is another disk")
                }
            }
            try again.close()
            if asksQEMU { try askQEMU(files.now(stores), now, isClosed: true) }
        }
    }

    /// Where there is no dirty bit, a change of snapshots that was cut short leaves clusters that are copied before they
    /// are written although nobody else has them: their copied flag is clear. Checks call that an error; nothing can
    /// come of it, and no order of writes avoids it (see `QCOW2Image+Snapshots`).
    private func isHarmless(_ finding: String) -> Bool {
        shape.isVersion2 && finding.contains("the copied flag of") && finding.contains("is clear")
    }

    /// Leaves the file of a state that cannot be opened where GANTRY_CRASH_KEEP says.
    private func open(_ stores: [RecordingStore]) throws -> any BlockDevice {
        let content = stores[0].bytes
        do { return try shape.open(stores) } catch {
            if let path = ProcessInfo.processInfo.environment["GANTRY_CRASH_KEEP"] {
                try Data(content.array).write(to: URL(fileURLWithPath: path))
            }
            throw error
        }
    }

    private func attempt<T>(_ what: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch { throw Verdict(description: "\(what): \(error)") }
    }

    private func work(_ device: any BlockDevice, _ expected: inout [UInt64], _ random: inout SeededRandom) throws {
        for step in 0..<6 {
            let first = Int.random(in: 0..<expected.count, using: &random)
            let sectors = first..<min(expected.count, first + Int.random(in: 1...shape.longest, using: &random))
            let number = 1 << 60 + UInt64(step)
            let offset = UInt64(first) * 512
            switch step {
            case 4: try device.flush()
            case 3: try device.writeZeroes(at: offset, length: UInt64(sectors.count) * 512, mayUnmap: true)
            default:
                let words = [UInt64](repeating: number, count: sectors.count * 64)
                try unsafe words.withUnsafeBytes { try unsafe device.write($0, at: offset) }
            }
            if step != 4 { for sector in sectors { expected[sector] = step == 3 ? 0 : number } }
        }
    }

    /// qemu-img as second judge: of the metadata (qcow2), and of what the disk holds.
    private func askQEMU(_ files: CrashFiles, _ state: DiskHistory.State, isClosed: Bool) throws {
        let copy = folder.file("judged")
        try Data(files.contents[0].array).write(to: URL(fileURLWithPath: copy))
        let format = shape.format == .vhd ? "vpc" : shape.format.rawValue
        var source = ["-f", format, copy]
        if files.paths.count > 1 {
            try Data(files.contents[1].array).write(to: URL(fileURLWithPath: files.paths[1]))
            source = ["--image-opts", "driver=qcow2,file.filename=\(copy),data-file.filename=\(files.paths[1])"]
        }
        if shape.format == .qcow2 {
            let outcome = try Tool.run("qemu-img", ["check", "-U"] + source)
            // 3: leaked clusters only.
            let errors = outcome.output.split(separator: "\n").filter { $0.hasPrefix("ERROR") }
            let isHarmless =
                outcome.status == 2 && shape.isVersion2
                && errors.allSatisfy { $0.hasPrefix("ERROR OFLAG_COPIED") && $0.hasSuffix("refcount=1") }
            guard [0, 3].contains(outcome.status) || isHarmless else {
                throw Verdict(description: "qemu-img check: \(outcome.status)\n\(outcome.output)\(outcome.errors)")
            }
        }
        // qemu does not know the parents of VHDs.
        let hasVHDParent = shape.parent == .vhdOverRaw || (shape.format == .vhd && shape.parent != nil)
        if !isClosed || hasVHDParent { return }
        let raw = folder.file("raw")
        try Tool.check("qemu-img", ["convert", "-U"] + source + ["-O", "raw", raw])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: raw))
        let numbers = unsafe bytes.withUnsafeBytes { unsafe DiskHistory.numbers(unsafe $0) }
        if numbers != state.numbers { throw Verdict(description: "qemu-img reads another content") }
    }
}
