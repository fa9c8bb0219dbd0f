import HTTPTypes
import NIOCore
import RPCCodec
import Toolstack

/// `/services/SM`, the storage layer's own calls, by which another maker's toolstack fills disks of this one: `DATA.MIRROR.receive_start`
/// and its later forms, `SR.scan`, `VDI.create` and the rest in XML-RPC, and `PUT …/nbd/…` for the bytes.
///
/// None of them is served: a machine comes by `/services/xenops/moves`, where one side coordinates and both note every step, which
/// these calls know nothing of. Each is answered with the storage layer's `Unimplemented` [call], and nothing is made. The first
/// one, which looks at the SR, comes before anything is made on either side; its caller ends VM.migrate_send with
/// UNIMPLEMENTED_IN_SM_BACKEND [call].
struct StorageServiceEndpoint: Sendable {
    let login: RequestLogin

    private static let path = "/services/SM"
    private static let longestBody = 1 << 20

    func register(in routes: inout HTTPRoutes) {
        routes.on(.post, Self.path) { routed, writer in try await answer(routed, writer) }
        routes.on(.put, Self.path) { routed, writer in try await refuse(routed, writer) }
    }

    private func answer(_ routed: RoutedRequest, _ writer: ResponseWriter) async throws {
        let told = try await login.admit(routed, to: "post_services_sm") { _ in
            var body = ByteBuffer()
            for try await piece in routed.request.body {
                guard body.readableBytes + piece.readableBytes <= Self.longestBody else {
                    throw HTTPFailure(.contentTooLarge, "more than \(Self.longestBody) bytes")
                }
                body.writeImmutableBuffer(piece)
            }
            do {
                let call = try XMLRPC.decodeCall(Array(body.readableBytesView))
                return XMLRPC.encode(.failure(["Unimplemented", call.method]))
            } catch {
                throw HTTPFailure(.badRequest, "no call in XML-RPC: \(error)")
            }
        }
        try await HTTPAnswer(.ok, contentType: XMLRPC.contentType, body: told).write(writer)
    }

    private func refuse(_ routed: RoutedRequest, _ writer: ResponseWriter) async throws {
        try await login.admit(routed, to: "put_services_sm") { _ in
            throw HTTPFailure(.notImplemented, "disks of other pools are filled by way of /services/xenops/moves only")
        }
    }
}
