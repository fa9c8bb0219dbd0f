import HTTPTypes
import MetricArchives
import Toolstack

/// `/rrd_updates`, `/host_rrd`, `/vm_rrd`, `/sr_rrd`: archives as XenAPI's clients read them. `/metrics`: the newest numbers
/// for Prometheus. `/health`: for whoever watches the daemon, without a login.
struct MetricsEndpoint: Sendable {
    let login: RequestLogin
    let services: HostServices

    func register(in routes: inout HTTPRoutes) {
        routes.get("/rrd_updates") { routed in
            try await login.admit(routed, to: "rrd_updates") { _ in try await updates(routed.arguments) }
        }
        for path in ["host_rrd", "vm_rrd", "sr_rrd"] {
            routes.get("/\(path)") { routed in
                try await login.admit(routed, to: path) { _ in
                    try await archive(owner(path, routed.arguments), routed.arguments)
                }
            }
        }
        routes.get("/metrics") { routed in
            try await login.admit(routed, to: "host_rrd") { _ in
                let text = await services.metrics.exposition()
                return HTTPAnswer(.ok, contentType: Exposition.contentType, body: Array(text.utf8))
            }
        }
        routes.get("/health") { _ in
            let report = await services.health.report()
            return HTTPAnswer(
                report.isHealthy ? .ok : .serviceUnavailable, contentType: "application/json",
                body: Array(report.json.utf8))
        }
    }

    private func updates(_ arguments: RequestArguments) async throws -> HTTPAnswer {
        guard let start = arguments["start"].flatMap(Int64.init) else {
            throw HTTPFailure(.badRequest, "rrd_updates needs start=SECONDS")
        }
        var query = UpdatesQuery(start: start)
        if let text = arguments["interval"] {
            guard let interval = Int64(text), interval >= 0 else {
                throw HTTPFailure(.badRequest, "interval is a number of seconds")
            }
            query.interval = interval
        }
        if let text = arguments["cf"] {
            guard let consolidation = Consolidation(rawValue: text.uppercased()) else {
                throw HTTPFailure(.badRequest, "cf is AVERAGE, MIN or MAX")
            }
            query.consolidation = consolidation
        }
        let export = await services.metrics.updates(
            query, withHost: arguments["host"] == "true", vm: arguments["vm_uuid"] ?? arguments["uuid"],
            sr: arguments["sr_uuid"])
        return Self.answer(arguments, xml: { export.xml }, json: { export.json })
    }

    private func owner(_ path: String, _ arguments: RequestArguments) async throws -> MetricOwner {
        if path == "host_rrd" { return await services.metrics.hostOwner }
        guard let uuid = arguments["uuid"] else { throw HTTPFailure(.badRequest, "\(path) needs uuid=UUID") }
        return path == "vm_rrd" ? .vm(uuid) : .sr(uuid)
    }

    private func archive(_ owner: MetricOwner, _ arguments: RequestArguments) async throws -> HTTPAnswer {
        guard let archive = await services.metrics.archive(owner) else {
            throw HTTPFailure(.notFound, "there are no numbers of \(owner.word) \(owner.uuid)")
        }
        return Self.answer(arguments, xml: { archive.xml }, json: { archive.json })
    }

    private static func answer(
        _ arguments: RequestArguments, xml: () -> String, json: () -> String
    ) -> HTTPAnswer {
        var fields = HTTPFields()
        fields[.accessControlAllowOrigin] = "*"
        if arguments["json"] == "true" {
            return HTTPAnswer(.ok, fields: fields, contentType: "application/json", body: Array(json().utf8))
        }
        return HTTPAnswer(.ok, fields: fields, contentType: "text/xml", body: Array(xml().utf8))
    }
}
