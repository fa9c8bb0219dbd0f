import Foundation
import TestSupport

/// A long-running `gantry` (or another program) whose input and output the test holds.
final class GantryProcess {
    let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var pending = Data()

    var pid: Int32 { process.processIdentifier }

    init(_ arguments: [String], program: String = "gantry") throws {
        process.executableURL = URL(fileURLWithPath: try Tool.find(program))
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    func say(_ line: String) throws { try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8)) }

    func send(_ bytes: Data) throws { try input.fileHandleForWriting.write(contentsOf: bytes) }

    /// Returns when there is output, which is not read, or none will come.
    func awaitOutput() {
        var request = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&request, 1, -1)
    }

    func closeInput() throws { try input.fileHandleForWriting.close() }

    /// The next line of output; throws when there is none any more.
    func line() throws -> String {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return line
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Unexpected("the program ended without a further line") }
            pending.append(more)
        }
    }

    /// The next line of the form `word {JSON}`: its JSON. Throws, with the line, when it begins with another word.
    func answer(_ word: String) throws -> [String: Any] {
        let line = try line()
        let parts = line.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0] == word else {
            throw Unexpected("expected '\(word) {…}', not '\(line)'")
        }
        return try json(String(parts[1]))
    }

    /// Waits for the end; the exit status, or minus the signal.
    func end() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// A JSON object.
func json(_ text: String) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
        throw Unexpected("no JSON object: \(text)")
    }
    return object
}

/// Something else happened than a test waits for.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
