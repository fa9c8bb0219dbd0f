import Foundation
import RPCCodec
import StorageInterface

/// Reads what a run of a SMAPIv3 script came to.
struct ScriptAnswer {
    let method: String
    let program: String
    let outcome: PluginOutcome
    let limits: PluginLimits

    /// Bytes of the script's texts that an API error carries.
    private static let excerpt = 16 << 10

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(excerpt), as: UTF8.self) }

    func value() throws(StorageError) -> WireValue {
        switch outcome.ending {
        case .exited(0): break
        case .exited(let status):
            if let told = told() { throw told }
            throw failed("non-zero exit", "\(status)", "it ended with status \(status)")
        case .signalled(let signal): throw failed("signalled", "signal \(signal)", "signal \(signal) ended it")
        case .timedOut:
            let time = "no answer within \(limits.time.components.seconds) s"
            throw failed("timeout", time, "\(time), so it was killed")
        case .flooded:
            throw failed(
                "too much output", "more than \(limits.output) bytes", "it wrote too much and was killed")
        case .notStarted(let number):
            let reason = unsafe String(cString: strerror(number))
            throw failed("cannot be started", reason, "it cannot be started: \(reason)")
        }
        do {
            return try JSONText.decode(String(decoding: outcome.output, as: UTF8.self))
        } catch {
            throw failed("bad json", "\(error)", "its answer is no JSON: \(error)")
        }
    }

    /// `{"code": …, "params": […], "backtrace": …}`; nil when the output is something else.
    private func told() -> StorageError? {
        guard let value = try? JSONText.decode(String(decoding: outcome.output, as: UTF8.self)),
            case .string(let code)? = value["code"], Self.isCode(code), case .array(let items)? = value["params"]
        else { return nil }
        var parameters: [String] = []
        for item in items {
            guard case .string(let text) = item else { return nil }
            parameters.append(String(text.prefix(Self.excerpt)))
        }
        return Self.error(code, parameters, method: method, details: Self.text(outcome.errors))
    }

    private static func isCode(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// The errors that the interface names have a meaning of their own; all others are the API's code as they are.
    static func error(_ code: String, _ parameters: [String], method: String, details: String) -> StorageError {
        let sentence = "the storage plugin's \(method) answered \(code): \(parameters.joined(separator: ", "))"
        if let first = parameters.first, first == "Activated_on_another_host" {
            return StorageError(
                .volumeUnavailable, "the volume is activated on the host \(parameters.dropFirst().first ?? "")",
                details: details)
        }
        switch code {
        case "Volume_does_not_exist": return StorageError(.volumeMissing, sentence, details: details)
        case "Unimplemented":
            return StorageError(
                .unimplemented, sentence, details: details,
                apiError: method.hasPrefix("SR.") ? nil : ["UNIMPLEMENTED_IN_SM_BACKEND", method])
        case "Cancelled":
            return StorageError(.general, sentence, details: details, apiError: ["TASK_CANCELLED", method])
        case "Sr_not_attached", "SR_not_attached":
            return StorageError(
                .repositoryUnavailable, sentence, details: details,
                apiError: ["SR_NOT_ATTACHED", parameters.first ?? ""])
        case "SR_does_not_exist", "Sr_does_not_exist":
            return StorageError(.repositoryUnavailable, sentence, details: details)
        default: return StorageError(.general, sentence, details: details, apiError: [code] + parameters)
        }
    }

    private func failed(_ why: String, _ cause: String, _ sentence: String) -> StorageError {
        StorageError(
            .general, "the storage plugin failed in \(program): \(sentence)", details: Self.text(outcome.errors),
            apiError: [
                "SCRIPT_FAILED", program, why, cause, Self.text(outcome.output), Self.text(outcome.errors),
            ])
    }
}
