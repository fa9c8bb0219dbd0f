public import APITypes

/// A failure that a server reports: a code and its parameters. What `catch` sees beside `ConnectionError`, `WireMismatch`
/// and `TransferFileError`.
public typealias XenAPIFailure = APIError

extension XenAPIFailure {
    /// The code as one of those that are declared; nil for others, which servers may raise as well.
    public var knownCode: XenAPIErrorCode? { XenAPIErrorCode(rawValue: code) }

    public init(_ code: XenAPIErrorCode, _ parameters: String...) { self.init(code.rawValue, parameters) }

    /// The failures that programs act upon, with their parameters by name.
    public var reason: XenAPIFailureReason { XenAPIFailureReason(self) }
}

/// `case .vdiInUse` in a switch over a failure, and `catch let failure as XenAPIFailure where .vdiInUse ~= failure`.
public func ~= (code: XenAPIErrorCode, failure: XenAPIFailure) -> Bool { code.rawValue == failure.code }

/// A failure that programs act upon, read from its code and parameters.
public enum XenAPIFailureReason: Hashable, Sendable {
    /// There is no such object (any more).
    case noSuchObject(className: String, ref: String)
    /// No object has the UUID.
    case noSuchUUID(className: String, uuid: String)
    /// The server does not know the session: it ended, or the server started anew.
    case sessionInvalid
    /// Name or password are wrong.
    case authenticationFailed
    /// The role of the user does not permit the call.
    case permissionDenied(permission: String)
    /// This host is not the coordinator of its pool.
    case notCoordinator(coordinator: String)
    /// The server does not have the message: too old, or it is not implemented there.
    case unknownMessage(String)
    /// The object does something else: trying again later may succeed.
    case busy(className: String, ref: String, operation: String)
    /// The disk is attached.
    case diskInUse(Ref<VDI>)
    /// The VM would have to be in another state.
    case badPowerState(Ref<VM>, expected: String, actual: String)
    /// The repository has not enough room.
    case noSpace
    /// Somebody cancelled the task.
    case taskCancelled(Ref<XenTask>)
    /// The storage driver failed; the number is one of its own codes, nil when it gave none.
    case storage(number: Int?, reason: String, detail: String)
    /// What the server did not foresee.
    case serverError(String)
    /// Everything else.
    case other(code: String, parameters: [String])

    init(_ failure: XenAPIFailure) {
        /// Servers send fewer parameters than they declare, now and then.
        func parameter(_ index: Int) -> String {
            index < failure.parameters.count ? failure.parameters[index] : ""
        }
        switch failure.code {
        case "HANDLE_INVALID": self = .noSuchObject(className: parameter(0), ref: parameter(1))
        case "UUID_INVALID": self = .noSuchUUID(className: parameter(0), uuid: parameter(1))
        case "SESSION_INVALID": self = .sessionInvalid
        case "SESSION_AUTHENTICATION_FAILED", "SESSION_AUTHORIZATION_FAILED": self = .authenticationFailed
        case "RBAC_PERMISSION_DENIED": self = .permissionDenied(permission: parameter(0))
        case "HOST_IS_SLAVE": self = .notCoordinator(coordinator: parameter(0))
        case "MESSAGE_METHOD_UNKNOWN", "NOT_IMPLEMENTED", "MESSAGE_REMOVED": self = .unknownMessage(parameter(0))
        case "OTHER_OPERATION_IN_PROGRESS":
            self = .busy(className: parameter(0), ref: parameter(1), operation: parameter(2))
        case "VDI_IN_USE": self = .diskInUse(Ref(parameter(0)))
        case "VM_BAD_POWER_STATE":
            self = .badPowerState(Ref(parameter(0)), expected: parameter(1), actual: parameter(2))
        case "SR_FULL", "OUT_OF_SPACE", "SR_BACKEND_FAILURE_44": self = .noSpace
        case "TASK_CANCELLED": self = .taskCancelled(Ref(parameter(0)))
        case "INTERNAL_ERROR": self = .serverError(parameter(0))
        case "SR_BACKEND_FAILURE": self = .storage(number: nil, reason: parameter(1), detail: parameter(2))
        case let code where code.hasPrefix("SR_BACKEND_FAILURE_"):
            let number = Int(code.dropFirst("SR_BACKEND_FAILURE_".count))
            self = .storage(number: number, reason: parameter(1), detail: parameter(2))
        default: self = .other(code: failure.code, parameters: failure.parameters)
        }
    }
}
