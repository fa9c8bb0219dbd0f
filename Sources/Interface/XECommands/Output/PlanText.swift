import APITypes
import RPCCodec
import TerminalUI
import XenAPIClient

/// What a server answered to a question for a plan, as a person reads it; with `--json` as it came. Of a
/// plan that something speaks against the command fails, once it is printed.
enum PlanText {
    static func show(_ json: String, _ context: CommandContext) throws {
        let isJSON = try context.arguments.flag("json")
        if isJSON { context.printer.value(json) }
        guard let plan = try? JSONText.decode(json) else {
            throw APIError.internalError("the plan is not JSON: \(json.prefix(200))")
        }
        if !isJSON { for line in lines(plan) { context.printer.value(line) } }
        if plan.member("blockers")?.items?.isEmpty == false { throw SilentFailure() }
    }

    static func lines(_ plan: WireValue) -> [String] {
        var lines: [String] = []
        for disk in plan.member("disks")?.items ?? [] { lines += describe(disk) }
        if let bytes = number(plan, "bytes_to_move") {
            var line = "In all: \(SizeText.bytes(bytes)) to move"
            line += comparison(plan, of: bytes)
            if let seconds = number(plan, "seconds") {
                line += ", about \(SizeText.duration(seconds: Double(seconds)))"
                if let basis = text(plan, "basis") { line += " (\(basis))" }
            }
            lines.append(line)
        }
        let blockers = plan.member("blockers")?.items ?? []
        for blocker in blockers {
            let words = (blocker.member("error")?.items ?? []).compactMap(\.text)
            guard let code = words.first else { continue }
            let sentence = ErrorReport.sentence(of: APIError(code, Array(words.dropFirst())))
            let disk = text(blocker, "vdi").map { "VDI \($0): " } ?? ""
            lines.append("BLOCKED: \(disk)\(sentence) [\(code)]")
        }
        if blockers.isEmpty { lines.append("Nothing speaks against it.") }
        return lines
    }

    /// What is read once more. Servers of earlier versions do not say how much.
    private static func comparison(_ plan: WireValue, of moved: UInt64) -> String {
        guard moved > 0, plan.member("verified") == .bool(true) else { return "" }
        let isCopy = plan.member("copy") == .bool(true)
        let compared = number(plan, "bytes_to_compare") ?? moved
        let amount = compared == moved ? "" : "\(SizeText.bytes(compared)) "
        return ", and \(amount)to compare" + (isCopy ? "" : " before the old images go")
    }

    private static func describe(_ disk: WireValue) -> [String] {
        let name = text(disk, "name").map { " (\($0))" } ?? ""
        var lines = ["VDI \(text(disk, "vdi") ?? "")\(name), \(text(disk, "role") ?? "disk")"]
        lines.append("    from: \(place(disk.member("source")))")
        if let destination = disk.member("destination") {
            lines.append("    to:   \(place(destination))\(reason(text(disk, "reason")))")
        }
        if disk.member("stays") == .bool(true) { return lines + remarks(disk) }
        if let bytes = number(disk, "bytes_to_move"), bytes > 0 {
            let peak = SizeText.bytes(number(disk, "peak_at_destination") ?? 0)
            let here = number(disk, "peak_at_source").flatMap { $0 == 0 ? nil : SizeText.bytes($0) } ?? "nothing"
            let snapshots = number(disk, "snapshots").flatMap { $0 == 0 ? nil : " with \($0) snapshots" } ?? ""
            lines.append(
                "    move: \(SizeText.bytes(bytes))\(snapshots); takes up to \(peak) there, \(here) more here")
        }
        return lines + remarks(disk)
    }

    private static func remarks(_ disk: WireValue) -> [String] {
        let risks = (disk.member("risks")?.items ?? []).compactMap(\.text).map { "    risk: \($0)" }
        return risks + (disk.member("notes")?.items ?? []).compactMap(\.text).map { "    note: \($0)" }
    }

    private static func place(_ place: WireValue?) -> String {
        guard let place else { return "nowhere" }
        let name = text(place, "name").map { " (\($0))" } ?? ""
        let format = text(place, "format").map { ", \($0)" } ?? ""
        let free = number(place, "free").map { ", \(SizeText.bytes($0)) free" } ?? ""
        return "SR \(text(place, "sr") ?? "")\(name)\(format)\(free)"
    }

    private static func reason(_ reason: String?) -> String {
        switch reason {
        case "chosen": " – as you asked"
        case "preferred": " – the repository prefers it"
        case "source": " – as it is now"
        case "driver": " – the storage driver decides"
        default: ""
        }
    }

    private static func text(_ value: WireValue, _ name: String) -> String? {
        value.member(name)?.text.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func number(_ value: WireValue, _ name: String) -> UInt64? {
        switch value.member(name) {
        case .int(let number): UInt64(exactly: number)
        case .int32(let number): UInt64(exactly: number)
        case .double(let number): UInt64(exactly: number)
        default: nil
        }
    }
}
