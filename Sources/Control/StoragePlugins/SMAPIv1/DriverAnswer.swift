import Foundation
import RPCCodec
import StorageInterface

/// Reads what a run of a SMAPIv1 driver came to: the value, or the error that it stands for.
struct DriverAnswer {
    let command: String
    let outcome: PluginOutcome
    let limits: PluginLimits

    /// Bytes of the driver's texts that an API error carries.
    private static let excerpt = 16 << 10

    private var output: String { Self.text(outcome.output) }
    private var errors: String { Self.text(outcome.errors) }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(excerpt), as: UTF8.self) }

    func value() throws(StorageError) -> WireValue {
        switch outcome.ending {
        case .exited(0): break
        case .exited(let status): throw broken("non-zero exit", "it ended with status \(status)")
        case .signalled(let signal):
            throw broken("received signal: \(Self.name(ofSignal: signal))", "signal \(signal) ended it")
        case .timedOut:
            let time = "no answer within \(limits.time.components.seconds) s"
            throw broken(time, "\(time), so it was killed")
        case .flooded: throw broken("more than \(limits.output) bytes of output", "it wrote too much and was killed")
        case .notStarted(let number):
            let reason = unsafe String(cString: strerror(number))
            throw broken("cannot be started: \(reason)", "it cannot be started: \(reason)")
        }
        let response: XMLRPC.Response
        do {
            response = try XMLRPC.decodeResponse(outcome.output)
        } catch {
            throw broken("\(error)", "its answer is no XML-RPC: \(error)")
        }
        switch response {
        case .value(let value): return value
        case .fault(let code, let text): throw fault(code, text)
        }
    }

    // MARK: Shapes of values

    func nothing() throws(StorageError) {
        let value = try value()
        guard value == .null || value == .string("") else { throw misshapen("nil is due") }
    }

    func string() throws(StorageError) -> String {
        guard case .string(let text) = try value() else { throw misshapen("a string is due") }
        return text
    }

    /// The uuid and location of a VDI.
    func volume() throws(StorageError) -> (uuid: String, location: String) {
        let value = try value()
        guard case .string(let uuid)? = value["uuid"], case .string(let location)? = value["location"], !uuid.isEmpty
        else { throw misshapen("a struct with the strings uuid and location is due") }
        return (uuid, location)
    }

    /// How an attached VDI is reached: the NBD export when there is one, else the path.
    func attachment() throws(StorageError) -> DriverAttachment {
        let value = try value()
        guard case .string(let export)? = value["params_nbd"] else {
            throw misshapen("a struct with the string params_nbd is due")
        }
        var path = ""
        switch value["params"] {
        case .string(let text)?: path = text
        case nil, .null?: break
        default: throw misshapen("params is no string")
        }
        guard let attachment = DriverAttachment(export: export, path: path) else {
            throw misshapen(
                "neither params_nbd is nbd:unix:<socket>:exportname=<name> nor params an absolute path: '\(export.prefix(200))', "
                    + "'\(path.prefix(200))'")
        }
        return attachment
    }

    // MARK: Failures

    /// SR_BACKEND_FAILURE [what; output; errors].
    private func broken(_ what: String, _ sentence: String) -> StorageError {
        StorageError(
            .general, "the storage driver failed in \(command): \(sentence)", details: errors,
            apiError: ["SR_BACKEND_FAILURE", what, output, errors])
    }

    private func misshapen(_ reason: String) -> StorageError {
        StorageError(
            .general, "the storage driver's answer to \(command) is wrong: \(reason)", details: errors,
            apiError: ["SR_BACKEND_FAILURE", "", "XML parse failure: \(output)", reason])
    }

    private func fault(_ code: Int64, _ text: String) -> StorageError {
        let fault = StorageError.Fault.driver(Int(clamping: code))
        // What the API has no error of its own for keeps the driver's number.
        var exact: [String]?
        switch code {
        case 38 where !Self.aboutRepositories.contains(command): exact = ["UNIMPLEMENTED_IN_SM_BACKEND", command]
        case 24 where !command.hasPrefix("vdi_"): exact = ["VDI_IN_USE", "", command]
        case 16: exact = ["SR_DEVICE_IN_USE"]
        default: break
        }
        return StorageError(fault, text, details: errors, apiError: exact)
    }

    /// Commands whose absence is SR_OPERATION_NOT_SUPPORTED.
    private static let aboutRepositories: Set<String> = ["sr_create", "sr_delete", "sr_scan", "sr_update"]

    private static func name(ofSignal number: Int32) -> String {
        let names: [Int32: String] = [
            SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGABRT: "SIGABRT",
            SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE",
            SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU",
        ]
        return names[number] ?? "signal \(number)"
    }
}
