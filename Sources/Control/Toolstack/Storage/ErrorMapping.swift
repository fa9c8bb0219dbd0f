import APITypes
import CoreTypes
import DatapathControl
import Guests
import Logging
import StorageInterface
import StorageMotion

/// Every mapping from a library's error to the XenAPI error that clients see.
enum ErrorMapping {
    /// For what the API's errors have no room for.
    private static let logger = Logger(label: "gantry.storage")

    /// VDI_IN_USE [vdi, operation]; who holds the image is in the log.
    private static func inUse(_ vdi: Ref<VDI>, _ operation: String, _ cause: String) -> APIError {
        logger.warning(
            "an image is in use", metadata: ["vdi": "\(vdi.opaque)", "operation": "\(operation)", "cause": "\(cause)"])
        return APIError("VDI_IN_USE", vdi.opaque, operation)
    }

    /// MIRROR_FAILED [vdi]; where the copy differs is in the log.
    private static func different(_ vdi: Ref<VDI>, _ cause: String) -> APIError {
        logger.error(
            "a copy is not what it was made of, and is given up",
            metadata: ["vdi": "\(vdi.opaque)", "cause": "\(cause)"])
        return APIError("MIRROR_FAILED", vdi.opaque)
    }

    /// A driver's failure in an operation on an SR. Source: SMAPIv1 fault table.
    /// `operation`: the word for VDI_IN_USE.
    static func api(_ error: StorageError, sr: Ref<SR>, vdi: Ref<VDI>? = nil, operation: String = "attach") -> APIError
    {
        if let exact = error.apiError, let code = exact.first {
            return APIError(code, Array(exact.dropFirst()))
        }
        if error.fault == .volumeInUse, let vdi { return inUse(vdi, operation, error.message) }
        return switch error.fault {
        case .repositoryNotEmpty: APIError("SR_NOT_EMPTY")
        case .deviceInUse: APIError("SR_DEVICE_IN_USE")
        case .volumeMissing where vdi != nil: APIError("VDI_MISSING", sr.opaque, vdi?.opaque ?? "")
        case .unimplemented: APIError("SR_OPERATION_NOT_SUPPORTED", sr.opaque)
        default: APIError("SR_BACKEND_FAILURE_\(error.fault.number)", "", error.message, error.details)
        }
    }

    /// A data path's failure while `vdi` is moved or opened.
    static func api(_ error: DatapathClient.Failure, sr: Ref<SR>, vdi: Ref<VDI>) -> APIError {
        switch error.code {
        case "noSpace": full(error.message)
        case "busy": inUse(vdi, "attach", error.message)
        case "notFound": APIError("VDI_MISSING", sr.opaque, vdi.opaque)
        case "outOfRange": APIError("VDI_TOO_SMALL", vdi.opaque, error.message)
        case "cancelled": APIError("TASK_CANCELLED", error.message)
        case DiskCopyPlan.differs: different(vdi, error.message)
        default: APIError("SR_BACKEND_FAILURE_46", "", error.message, "")
        }
    }

    /// Whether a mirror has failed because its destination is full, by the words that a data path has for that: a file's, or those
    /// of an export, such as a disk of another pool.
    static func saysFull(_ cause: String) -> Bool {
        ["No space left", "Disk quota exceeded", "File too large", "storage is full"].contains { cause.contains($0) }
    }

    /// SR_BACKEND_FAILURE_44 ["", text, ""].
    static func full(_ cause: String) -> APIError {
        APIError("SR_BACKEND_FAILURE_44", "", "There is insufficient space: \(cause)", "")
    }

    static func api(_ refusal: FormatDecision.Refusal, vdi: Ref<VDI>, srUUID: String, supported: [String]) -> APIError {
        switch refusal {
        case .unknown(let given):
            APIError("VDI_INCOMPATIBLE_TYPE", vdi.opaque, "Expected one of 'raw', 'vhd', 'qcow2', got \(given)")
        case .unsupported(let format):
            APIError(
                "VDI_INCOMPATIBLE_TYPE", vdi.opaque,
                "Image format \(format.rawValue) is not supported by SR \(srUUID) (it supports \(supported.joined(separator: ", ")))"
            )
        case .nothingInCommon:
            APIError(
                "VDI_INCOMPATIBLE_TYPE", vdi.opaque,
                "The pool's hosts have no image format in common for SR \(srUUID); make its storage driver the same on all of "
                    + "them (SM.other_config:\(StorageManagerRows.lackKey) says what each has)")
        case .tooLarge(let limit): APIError("VDI_TOO_LARGE", vdi.opaque, String(limit))
        }
    }

    /// `unplugging`: the device that the guest was asked for.
    static func api(_ error: GuestError, vm: Ref<VM>, unplugging vbd: Ref<VBD>? = nil) -> APIError {
        if let vbd, error.code == .timedOut { return APIError("DEVICE_DETACH_TIMEOUT", VBD.className, vbd.opaque) }
        return APIError.internalError("VM \(vm.opaque): \(error)")
    }
}
