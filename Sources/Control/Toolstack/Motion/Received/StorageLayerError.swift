import APITypes
import RPCCodec

/// A failure as the storage layer's interface tells it: a variant, which is a list of its name and of what it holds. Source: SMAPIv2,
/// `Storage_interface.Errors`.
struct StorageLayerError: Error, Hashable, Sendable, CustomStringConvertible {
    let wire: [WireValue]

    private init(_ name: String, _ content: WireValue) { wire = [.string(name), content] }

    static func unimplemented(_ call: String) -> StorageLayerError { Self("Unimplemented", .string(call)) }
    static func notAttached(_ srUUID: String) -> StorageLayerError { Self("Sr_not_attached", .string(srUUID)) }
    static func noDisk(_ place: String) -> StorageLayerError { Self("Vdi_does_not_exist", .string(place)) }
    static func missing(_ kind: String, _ name: String) -> StorageLayerError {
        Self("Does_not_exist", .array([.string(kind), .string(name)]))
    }
    static func contentsDiffer(_ one: String, _ other: String) -> StorageLayerError {
        Self("Content_ids_do_not_match", .array([.string(one), .string(other)]))
    }
    static func internalError(_ text: String) -> StorageLayerError { Self("Internal_error", .string(text)) }

    /// An error of the API, which the caller's toolstack makes one of its own of.
    static func backend(_ error: APIError) -> StorageLayerError {
        Self(
            "Backend_error",
            .array([.string(error.code), .array(error.parameters.map(WireValue.string))]))
    }

    /// Something that these calls do not do. `text`: why, and what to do about it.
    static func notAllowed(_ text: String) -> StorageLayerError { backend(APIError("OPERATION_NOT_ALLOWED", text)) }

    /// Any error that a call about an SR ended with.
    init(_ error: any Error, srUUID: String) {
        if let error = error as? StorageLayerError {
            self = error
            return
        }
        let error = (error as? APIError) ?? APIError(error, task: .null)
        switch error.code {
        case "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS": self = .notAttached(srUUID)
        default: self = .backend(error)
        }
    }

    var description: String { Self.text(.array(wire)) }

    private static func text(_ value: WireValue) -> String {
        if case .array(let items) = value { return items.map(text).filter { !$0.isEmpty }.joined(separator: ", ") }
        return value.storageText ?? ""
    }

    /// The envelope of a failure.
    var reply: [UInt8] {
        XMLRPC.encodeBare(
            .structure([WireMember("Status", .string("Failure")), WireMember("ErrorDescription", .array(wire))]))
    }
}
