import APITypes
import Foundation
import Guests

/// What toolstacks tell each other of a guest that goes from one to the other, as JSON.
enum GuestDocument {
    static func encode(_ passport: GuestPassport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(passport), as: UTF8.self)
    }

    static func decode(_ text: String) throws(APIError) -> GuestPassport {
        guard let passport = try? JSONDecoder().decode(GuestPassport.self, from: Data(text.utf8)) else {
            throw .internalError("what the other pool says of a guest is not understood")
        }
        return passport
    }

    /// VM_INCOMPATIBLE_WITH_THIS_HOST [vm, host, reason], VM_HALTED [vm], OPERATION_NOT_ALLOWED [text]; nil: the transfer failed.
    static func mapped(_ error: GuestError, vm: String, host: Ref<APITypes.Host>) -> APIError? {
        switch error.code {
        case .incompatible, .invalidSpecification:
            APIError("VM_INCOMPATIBLE_WITH_THIS_HOST", vm, host.opaque, error.message)
        case .notRunning, .disconnected: APIError("VM_HALTED", vm)
        case .refused: APIError("OPERATION_NOT_ALLOWED", error.message)
        default: nil
        }
    }
}
