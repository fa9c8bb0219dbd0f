import APITypes
import HTTPTypes
import HummingbirdCore
import Toolstack

/// `GET` and `PUT /pool/xmldbdump`: the pool's database as one file, out and in. With `dry_run=true` a file is only looked
/// at.
struct DatabaseEndpoint: Sendable {
    static let path = "/pool/xmldbdump"

    let transfers: TransferEndpoint
    private var files: DatabaseFiles { DatabaseFiles(database: transfers.dispatcher.database) }

    init(transfers: TransferEndpoint) { self.transfers = transfers }

    func send(
        _ request: Request, _ arguments: RequestArguments, isLocal: Bool, _ writer: consuming ResponseWriter
    ) async throws {
        try await transfers.send(request, arguments, isLocal: isLocal, name: "get_pool_xml_db_sync", writer) { _ in
            try await files.beginDump()
        }
    }

    func receive(
        _ request: Request, _ arguments: RequestArguments, isLocal: Bool, _ writer: consuming ResponseWriter
    ) async throws {
        let dryRun = ["true", "1", "yes"].contains(arguments["dry_run"]?.lowercased() ?? "")
        try await transfers.receive(
            request, arguments, isLocal: isLocal, name: "put_pool_xml_db_sync", writer
        ) { _, length in
            guard length != nil else { throw HTTPFailure(.badRequest, "a dump needs a Content-Length") }
            return try files.beginRestore(dryRun: dryRun)
        }
    }
}
