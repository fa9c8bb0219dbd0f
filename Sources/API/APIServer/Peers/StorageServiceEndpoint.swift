import HTTPTypes
import Logging
import NIOCore
import RPCCodec
import Toolstack

/// `/services/SM`, the storage layer's own calls, by which another maker's toolstack fills disks of this one: calls in XML-RPC by POST, and
/// disks as NBD exports by PUT. What becomes of them is `ReceivedDisks`.
///
///     PUT /services/SM/nbd/[VM/]SR/DISK/DATAPATH
///     PUT /services/SM/nbdproxy/[import/]VM/SR/DISK/DATAPATH
///
/// A PUT is answered with `Transfer-encoding: nbd`, and the connection is the export from then on. Which domain of the other side (`VM`)
/// connects makes no difference here.
struct StorageServiceEndpoint: Sendable {
    let login: RequestLogin
    let received: ReceivedDisks
    let logger: Logger
    private let streams = Count()

    private static let path = "/services/SM"
    private static let longestBody = 1 << 20
    private static let mostStreams = 1024
    /// The end of a body in chunks that has none, which clients may send behind the head before they read the answer.
    private static let chunksEnd = Array("0\r\n\r\n".utf8)

    init(login: RequestLogin, received: ReceivedDisks, logger: Logger) {
        (self.login, self.received, self.logger) = (login, received, logger)
    }

    /// Whether a PUT of this target asks for an export.
    static func isStream(_ target: String) -> Bool { RequestArguments.path(of: target).hasPrefix(path + "/nbd") }

    func register(in routes: inout HTTPRoutes) {
        routes.on(.post, Self.path) { routed, writer in try await answer(routed, writer) }
        routes.on(.put, Self.path) { routed, writer in try await connect(routed, writer) }
    }

    private func answer(_ routed: RoutedRequest, _ writer: ResponseWriter) async throws {
        let told = try await login.admit(routed, to: "post_services_sm") { session in
            var body = ByteBuffer()
            for try await piece in routed.request.body {
                guard body.readableBytes + piece.readableBytes <= Self.longestBody else {
                    throw HTTPFailure(.contentTooLarge, "more than \(Self.longestBody) bytes")
                }
                body.writeImmutableBuffer(piece)
            }
            let call: RPCCall
            do { call = try XMLRPC.decodeCall(Array(body.readableBytesView)) } catch {
                throw HTTPFailure(.badRequest, "no call in XML-RPC: \(error)")
            }
            return await received.answer(call, session: session)
        }
        try await HTTPAnswer(.ok, contentType: XMLRPC.contentType, body: told).write(writer)
    }

    private func connect(_ routed: RoutedRequest, _ writer: ResponseWriter) async throws {
        let stream = try await login.admit(routed, to: "put_services_sm") { session in
            guard let wanted = Wanted(routed.arguments.path) else {
                throw HTTPFailure(.notFound, "there is no \(routed.arguments.path)")
            }
            guard streams.enter(most: Self.mostStreams) else {
                throw HTTPFailure(.serviceUnavailable, "\(Self.mostStreams) streams are in use; try again later")
            }
            do {
                return try await received.connect(
                    srUUID: wanted.repository, place: wanted.disk, datapath: wanted.datapath, isProxy: wanted.isProxy,
                    session: session)
            } catch {
                streams.leave()
                logger.info(
                    "a disk is not connected", metadata: ["path": "\(routed.arguments.path)", "error": "\(error)"])
                throw HTTPFailure(.notFound, "\(error)")
            }
        }
        var answer = HTTPResponse(status: .ok)
        answer.headerFields[.transferEncoding] = "nbd"
        let tunnel = SocketTunnel(stream.descriptor, greeting: stream.greeting, without: Self.chunksEnd)
        do {
            try await tunnel.serve(routed.request.body, writer, answer)
        } catch {
            streams.leave()
            await received.ended(stream)
            throw error
        }
        streams.leave()
        await received.ended(stream)
    }

    /// What the path of a PUT names.
    struct Wanted: Hashable {
        let repository: String
        let disk: String
        let datapath: String
        let isProxy: Bool

        init?(_ path: String) {
            var words = path.dropFirst(StorageServiceEndpoint.path.count).split(separator: "/").map(String.init)
            guard let kind = words.first else { return nil }
            words.removeFirst()
            switch kind {
            case "nbd": isProxy = false
            case "nbdproxy":
                isProxy = true
                if words.first == "import", words.count == 5 { words.removeFirst() }
                guard words.count == 4 else { return nil }
            default: return nil
            }
            guard words.count == 3 || words.count == 4 else { return nil }
            let last = words.suffix(3).map { $0 }
            (repository, disk, datapath) = (last[0], last[1], last[2])
        }
    }
}
