import APITypes
import HTTPTypes
import Toolstack

/// `GET /export_metadata` and `PUT /import_metadata`: machines without their disks, as archives.
struct MachineEndpoint: Sendable {
    let transfers: TransferEndpoint
    private let documents: MachineDocuments

    init(transfers: TransferEndpoint) {
        self.transfers = transfers
        documents = MachineDocuments(database: transfers.dispatcher.database, host: transfers.dispatcher.host)
    }

    func register(in routes: inout HTTPRoutes) {
        routes.on(.get, "/export_metadata") { routed, writer in try await send(routed, writer) }
        routes.on(.put, "/import_metadata") { routed, writer in try await receive(routed, writer) }
    }

    private func send(_ routed: RoutedRequest, _ writer: consuming ResponseWriter) async throws {
        let arguments = routed.arguments
        try await transfers.send(routed.request, arguments, name: "get_export_metadata", writer) { _ in
            let named = (arguments["ref"] ?? arguments["uuid"]).map { [$0] }
            let all = try Self.flag("all", arguments, otherwise: false)
            guard all || named != nil else { throw HTTPFailure(.badRequest, "an export needs ref, uuid or all=true") }
            return try documents.beginExport(
                MachineExportRequest(
                    machines: all ? nil : named,
                    includesControlDomains: try Self.flag("include_dom0", arguments, otherwise: true),
                    includesSnapshots: try Self.flag("export_snapshots", arguments, otherwise: true),
                    includesBases: try Self.flag("include_vhd_parents", arguments, otherwise: false),
                    leftOut: arguments["excluded_device_types"] ?? ""))
        }
    }

    private func receive(_ routed: RoutedRequest, _ writer: consuming ResponseWriter) async throws {
        let arguments = routed.arguments
        try await transfers.receive(
            routed.request, arguments, name: "put_import_metadata", writer
        ) { context, length in
            if routed.request.headers[.transferEncoding] != nil { throw APIError("IMPORT_ERROR_CANNOT_HANDLE_CHUNKED") }
            guard let length else { throw HTTPFailure(.badRequest, "an import needs a Content-Length") }
            return try documents.beginImport(
                MachineImportRequest(
                    keepsIdentity: try Self.flag("restore", arguments, otherwise: false),
                    isForced: try Self.flag("force", arguments, otherwise: false),
                    isDryRun: try Self.flag("dry_run", arguments, otherwise: false),
                    isLive: try Self.flag("live", arguments, otherwise: false)),
                length: length, task: context.task)
        }
    }

    /// A value that is neither true nor false is no guess.
    private static func flag(
        _ name: String, _ arguments: RequestArguments, otherwise standard: Bool
    ) throws(HTTPFailure) -> Bool {
        switch arguments[name]?.lowercased() {
        case nil, "": return standard
        case "true", "1", "yes": return true
        case "false", "0", "no": return false
        case let other?: throw HTTPFailure(.badRequest, "\(name) is true or false, not \(other.prefix(32))")
        }
    }
}
