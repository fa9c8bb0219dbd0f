import APITypes
import Foundation
import HTTPTypes
import NIOCore
import Toolstack

/// `GET /blob` and `PUT /blob` with `ref=` or `uuid=`: the content of a blob. A public one is read without a login.
struct BlobEndpoint: Sendable {
    let login: RequestLogin
    let blobs: BlobStore

    private static let chunkSize = 256 * 1024

    func register(in routes: inout HTTPRoutes) {
        routes.on(.get, "/blob") { routed, writer in
            let blob: StoredBlob
            do {
                blob = try await readable(routed)
            } catch let failure as HTTPFailure {
                return try await HTTPAnswer.error(failure.status, failure.text).write(writer)
            }
            guard let file = FileHandle(forReadingAtPath: blobs.path(blob)) else {
                let empty = HTTPAnswer(.ok, contentType: blob.mimeType, body: [])
                return try await empty.write(writer)
            }
            defer { try? file.close() }
            var fields = HTTPFields()
            fields[.contentType] = blob.mimeType
            fields.set("X-Content-Type-Options", "nosniff")
            var body = try await writer.writeHead(HTTPResponse(status: .ok, headerFields: fields))
            while let chunk = try file.read(upToCount: Self.chunkSize), !chunk.isEmpty {
                try await body.write(ByteBuffer(bytes: chunk))
            }
            try await body.finish(nil)
        }
        routes.on(.put, "/blob") { routed, writer in
            do {
                let target = RequestTarget(["blob"], ref: routed.arguments["ref"], uuid: routed.arguments["uuid"])
                try await login.admit(routed, to: "put_blob", audited: target) { _ in try await store(routed) }
            } catch let failure as HTTPFailure {
                var fields = HTTPFields()
                fields[.connection] = "close"
                return try await HTTPAnswer.error(failure.status, failure.text, fields: fields).write(writer)
            }
            try await HTTPAnswer(.ok, contentType: nil, body: []).write(writer)
        }
    }

    private func find(_ routed: RoutedRequest) throws -> StoredBlob {
        let (ref, uuid) = (routed.arguments["ref"], routed.arguments["uuid"])
        guard ref != nil || uuid != nil else { throw HTTPFailure(.badRequest, "blob needs ref= or uuid=") }
        return try blobs.find(ref: ref, uuid: uuid)
    }

    private func readable(_ routed: RoutedRequest) async throws -> StoredBlob {
        // Whether a name is one of a public blob is no secret; that of another one is told to nobody without a login.
        if let blob = try? find(routed), blob.isPublic { return blob }
        return try await login.admit(routed, to: "get_blob") { _ in try find(routed) }
    }

    private func store(_ routed: RoutedRequest) async throws {
        let blob = try find(routed)
        let length = routed.request.headers[.contentLength].flatMap(Int64.init)
        guard let length, routed.request.headers[.transferEncoding] == nil else {
            throw HTTPFailure(.badRequest, "a blob is sent with a Content-Length")
        }
        guard length >= 0, length <= Int64(BlobStore.largest) else {
            throw HTTPFailure(.contentTooLarge, "a blob has at most \(BlobStore.largest) bytes")
        }
        let upload = try blobs.begin(blob)
        var received: Int64 = 0
        for try await buffer in routed.request.body {
            received += Int64(buffer.readableBytes)
            try upload.write(Array(buffer.readableBytesView))
        }
        guard received == length else { throw HTTPFailure(.badRequest, "the blob ended before its time") }
        try await blobs.finish(upload, for: blob)
    }
}
