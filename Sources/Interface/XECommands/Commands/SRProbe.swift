import RPCCodec
import XenAPIClient

extension Command {
    /// `sr-probe-ext`: one record for each result. Of the SRs that there are already, `--minimal` shows the uuids.
    static let probeExtended: @Sendable (CommandContext) async throws -> Void = { context in
        let arguments = context.arguments
        let found = try await context.call(
            "SR.probe_ext", try await hostForSR(context), context.mapArgument("device-config"),
            .string(try arguments.required("type")), context.mapArgument("sm-config"))
        for result in found.items ?? [] {
            let sr = result.member("sr")
            let uuid = sr?.member("uuid")?.text
            if context.printer.isMinimal, uuid == nil { continue }
            var lines: [(label: String, value: String)] = []
            if let uuid {
                lines = [("uuid", uuid)]
                for name in ["name_label", "name_description", "health", "total_space", "free_space", "clustered"] {
                    lines.append(
                        (name.split(separator: "_").joined(separator: "-"), plain(sr?.member(name))))
                }
            }
            lines.append(("complete", plain(result.member("complete"))))
            lines.append(("configuration", pairs(result.member("configuration"))))
            lines.append(("extra-info", pairs(result.member("extra_info"))))
            context.printer.record(lines)
        }
    }

    private static func plain(_ value: WireValue?) -> String {
        switch value {
        case .bool(let flag)?: String(flag)
        case .int(let number)?: String(number)
        default: value?.text ?? ""
        }
    }

    private static func pairs(_ value: WireValue?) -> String {
        (value?.members ?? []).map { "\($0.name): \($0.value.text ?? "")" }.sorted().joined(separator: "; ")
    }
}
