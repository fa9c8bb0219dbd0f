import Foundation
import Glibc

/// Root's first password: from a file that the administrator named, else a new one in the state directory.
struct InitialPassword {
    let stateDirectory: String
    let givenFile: String?

    /// Where a generated password is kept, mode 0600.
    var ownFile: String { stateDirectory + "/initial-password" }

    /// The password; makes the file on the first call. A start that was interrupted finds it again.
    func obtain() throws -> String {
        if let givenFile { return try read(givenFile) }
        if FileManager.default.fileExists(atPath: ownFile) { return try read(ownFile) }
        let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var system = SystemRandomNumberGenerator()
        let password = String((0..<24).compactMap { _ in letters.randomElement(using: &system) })
        try write(password + "\n")
        return password
    }

    private func read(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CredentialError.unreadable("the password file \(path) cannot be read")
        }
        let password = text.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        guard !password.isEmpty else {
            throw CredentialError.unreadable("the password file \(path) has nothing in its first line")
        }
        return password
    }

    private func write(_ text: String) throws {
        let descriptor = unsafe open(ownFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CredentialError.unreadable("the password file \(ownFile) cannot be made (errno \(errno))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.synchronize()
        try handle.close()
    }
}
