import Foundation

/// Runs another program and waits. A program that is not installed is an error, so a missing tool fails its test.
public enum Tool {
    public struct Outcome: Sendable {
        public let status: Int32
        public let output: String
        public let errors: String
        public var succeeded: Bool { status == 0 }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    /// Runs `name` (looked up on PATH unless it has a slash) and returns what it printed and its exit status.
    @discardableResult
    public static func run(
        _ name: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try find(name))
        process.arguments = arguments
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        // Files, not pipes: no size of output can block either side.
        let folder = try ScratchFolder("tool")
        let outputPath = folder.file("out")
        let errorPath = folder.file("err")
        for path in [outputPath, errorPath] { try Data().write(to: URL(fileURLWithPath: path)) }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
        let errors = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
        process.standardOutput = output
        process.standardError = errors
        if let input {
            let inputPath = folder.file("in")
            try Data(input.utf8).write(to: URL(fileURLWithPath: inputPath))
            process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputPath))
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        process.waitUntilExit()
        try output.close()
        try errors.close()
        let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return Outcome(
            status: status,
            output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: outputPath)), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: errorPath)), as: UTF8.self))
    }

    /// Like `run`, and throws with everything printed unless the exit status is 0. Returns standard output.
    @discardableResult
    public static func check(
        _ name: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> String {
        let outcome = try run(name, arguments, input: input, environment: environment)
        guard outcome.succeeded else {
            throw Failure(
                description: "\(name) \(arguments.joined(separator: " ")) ended with \(outcome.status):\n"
                    + outcome.output + outcome.errors)
        }
        return outcome.output
    }

    /// The full path of a program. One of this package's own products is found beside the test bundle.
    public static func find(_ name: String) throws -> String {
        if name.contains("/") { return name }
        let built = productFolder + "/" + name
        if FileManager.default.isExecutableFile(atPath: built) { return built }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for folder in folders + ["/usr/sbin", "/sbin"] {
            let path = folder + "/" + name
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Failure(description: "\(name) is not installed; ./gantry-test installs what the tests need")
    }

    /// Where this build's executables are: the folder of the test bundle.
    public static var productFolder: String {
        let own = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundlePath ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().path
    }
}
