/// What a probe found: an SR, or a place that could become one. Source: XenAPI's records probe_result and sr_stat.
public struct RepositoryProbe: Sendable, Hashable {
    /// The device_config that reaches it; with `sr_uuid` when there is an SR.
    public var configuration: [String: String]
    /// The configuration suffices for SR.create or PBD.create.
    public var isComplete: Bool
    /// The SR's uuid; nil where there is none yet.
    public var uuid: String?
    /// Nil when it cannot be told without attaching.
    public var space: RepositorySpace?
    public var extra: [String: String]
    /// What the SR says of itself, where it does.
    public var label = ""
    public var description = ""
    public var isClustered = false
    /// A word of XenAPI's sr_health; nil when the driver does not say.
    public var health: String?

    public init(
        configuration: [String: String], isComplete: Bool, uuid: String? = nil, space: RepositorySpace? = nil,
        extra: [String: String] = [:]
    ) {
        self.configuration = configuration
        self.isComplete = isComplete
        self.uuid = uuid
        self.space = space
        self.extra = extra
    }

    /// `SRlist/SR/{UUID,Size}`: the SRs among `found`, as XenAPI's clients read it.
    public static func document(_ found: [RepositoryProbe]) -> String {
        var text = "<?xml version=\"1.0\" ?>\n<SRlist>\n"
        for probe in found {
            guard let uuid = probe.uuid else { continue }
            text += "\t<SR>\n\t\t<UUID>\n\t\t\t\(escaped(uuid))\n\t\t</UUID>\n"
            if let space = probe.space { text += "\t\t<Size>\n\t\t\t\(space.total)\n\t\t</Size>\n" }
            text += "\t</SR>\n"
        }
        return text + "</SRlist>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
    }
}
