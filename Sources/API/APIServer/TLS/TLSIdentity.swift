import Foundation
import Glibc
import NIOSSL
import Synchronization

/// The certificate and key that clients of `--https` see: files in a folder of their own, made when they are not there
/// and read again on `reload`. Usable from anywhere.
final class TLSIdentity: Sendable {
    /// Certificate of the server, followed by those of its authorities. PEM.
    let certificateFile: String
    /// Its private key. PEM, mode 0600.
    let keyFile: String
    private let context: Mutex<NIOSSLContext>

    /// Why the files cannot be used.
    struct Unusable: Error, CustomStringConvertible {
        let file: String
        let reason: String

        var description: String {
            "cannot use \(file): \(reason); put a PEM certificate and its key there, or remove both to have new ones made"
        }
    }

    /// Reads the files in `folder`; makes both when neither is there. `address`: where clients will connect.
    init(folder: String, listeningOn address: String) throws {
        certificateFile = folder + "/certificate.pem"
        keyFile = folder + "/key.pem"
        let files = [certificateFile, keyFile]
        let present = files.filter { FileManager.default.fileExists(atPath: $0) }
        if present.isEmpty {
            try Self.create(certificateFile, keyFile, folder: folder, listeningOn: address)
        } else if present.count < files.count {
            throw Unusable(file: files.first { !present.contains($0) } ?? folder, reason: "it is missing")
        }
        context = Mutex(try Self.load(certificateFile, keyFile))
    }

    /// What the next connection is made with.
    var current: NIOSSLContext { context.withLock { $0 } }

    /// Reads the files again. Connections that exist go on with what they have. Throws, and changes nothing, when the
    /// files cannot be used.
    func reload() throws {
        let new = try Self.load(certificateFile, keyFile)
        context.withLock { $0 = new }
    }

    private static func load(_ certificateFile: String, _ keyFile: String) throws -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
        } catch { throw Unusable(file: certificateFile, reason: "it holds no certificate (\(error))") }
        guard !chain.isEmpty else { throw Unusable(file: certificateFile, reason: "it holds no certificate") }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        } catch { throw Unusable(file: keyFile, reason: "it holds no private key (\(error))") }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch { throw Unusable(file: keyFile, reason: "it is not the key of \(certificateFile) (\(error))") }
    }

    /// The certificate comes last: a crash in between leaves a key alone, which the next start names.
    private static func create(
        _ certificateFile: String, _ keyFile: String, folder: String, listeningOn address: String
    ) throws {
        let pem = try ServerCertificate.make(for: try ServerCertificate.names(listeningOn: address))
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try write(pem.key, to: keyFile, mode: 0o600)
        try write(pem.certificate, to: certificateFile, mode: 0o644)
    }

    /// A file that nobody else could read for any moment, whole or not there.
    private static func write(_ text: String, to path: String, mode: mode_t) throws {
        let draft = path + ".new"
        _ = unsafe unlink(draft)
        // SAFETY: paths are NUL-terminated by the bridge, the buffer is alive during the call.
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(draft) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        try file.synchronize()
        try file.close()
        guard unsafe rename(draft, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Unusable {
        Unusable(file: path, reason: unsafe String(cString: strerror(errno)))
    }
}
