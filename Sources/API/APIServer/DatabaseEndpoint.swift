import APITypes
import HTTPTypes
import Toolstack

/// `GET` and `PUT /pool/xmldbdump`: the pool's database as one file, out and in: XML, or with `format=sqlite` an SQLite
/// file; both are taken back. With `dry_run=true` a file is only looked at.
struct DatabaseEndpoint: Sendable {
    static let path = "/pool/xmldbdump"

    let transfers: TransferEndpoint
    private var files: DatabaseFiles { DatabaseFiles(database: transfers.dispatcher.database) }

    init(transfers: TransferEndpoint) { self.transfers = transfers }

    func register(in routes: inout HTTPRoutes) {
        routes.on(.get, Self.path) { routed, writer in try await send(routed, writer) }
        routes.on(.put, Self.path) { routed, writer in try await receive(routed, writer) }
    }

    private func send(_ routed: RoutedRequest, _ writer: consuming ResponseWriter) async throws {
        try await transfers.send(
            routed.request, routed.arguments, name: "get_pool_xml_db_sync", writer
        ) { _ in
            let name = routed.arguments["format"].map { $0.isEmpty ? "xml" : $0.lowercased() } ?? "xml"
            guard let format = DatabaseFiles.Format(rawValue: name) else {
                throw HTTPFailure(.notFound, "unknown format \(name): there are xml and sqlite")
            }
            return try await files.beginDump(format)
        }
    }

    private func receive(_ routed: RoutedRequest, _ writer: consuming ResponseWriter) async throws {
        let dryRun = ["true", "1", "yes"].contains(routed.arguments["dry_run"]?.lowercased() ?? "")
        try await transfers.receive(
            routed.request, routed.arguments, name: "put_pool_xml_db_sync", writer
        ) { _, length in
            guard length != nil else { throw HTTPFailure(.badRequest, "a dump needs a Content-Length") }
            return try files.beginRestore(dryRun: dryRun)
        }
    }
}
