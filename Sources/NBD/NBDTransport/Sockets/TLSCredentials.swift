public import BlockIO
import COpenSSL
import CoreTypes
import Glibc

/// The certificates one side of a TLS connection shows and trusts, read once. TLS 1.3 only: older versions, and so any
/// downgrade to them, are refused in the handshake. May be shared by any number of connections and threads.
@safe
public final class TLSCredentials: @unchecked Sendable {
    // @unchecked, SAFETY: the context is complete when `init` returns and only read afterwards, which OpenSSL allows from
    // any thread; freed in deinit.
    let context: OpaquePointer
    let isServer: Bool

    /// A server's: `ca-cert.pem`, `server-cert.pem` and `server-key.pem` of `folder`, and `ca-crl.pem` where it exists.
    /// `verifiesClients`: only clients that show a certificate of that authority get further; otherwise anyone does, and
    /// `ca-cert.pem` is not needed.
    public static func server(folder: String, verifiesClients: Bool = true) throws(BlockError) -> TLSCredentials {
        try TLSCredentials(isServer: true, folder: folder, verifiesPeer: verifiesClients)
    }

    /// A client's: `ca-cert.pem` of `folder`, `client-cert.pem` and `client-key.pem` where they exist, and `ca-crl.pem`
    /// likewise. The server must always show a certificate of that authority, for the name it was called by.
    public static func client(folder: String) throws(BlockError) -> TLSCredentials {
        try TLSCredentials(isServer: false, folder: folder, verifiesPeer: true)
    }

    /// A server's, of two files in PEM, whoever its clients are.
    public static func server(certificate: String, key: String) throws(BlockError) -> TLSCredentials {
        try TLSCredentials(isServer: true, folder: "", verifiesPeer: false, files: (certificate, key))
    }

    /// `files`: the certificate and its key where they have no names of their own in `folder`.
    private init(
        isServer: Bool, folder: String, verifiesPeer: Bool, files: (certificate: String, key: String)? = nil
    ) throws(BlockError) {
        // SAFETY: the text lives as long as the process.
        if let missing = unsafe gantry_openssl_load() {
            throw BlockError(
                .unsupported, "TLS needs OpenSSL, which cannot be loaded (\(unsafe String(cString: missing)))")
        }
        guard let context = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw BlockError(.io, "OpenSSL gives no TLS context: \(Self.reason)")
        }
        unsafe self.context = context
        self.isServer = isServer
        guard unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_3_VERSION), nil) == 1,
            unsafe SSL_CTX_set_num_tickets(context, 0) == 1
        else { throw BlockError(.unsupported, "OpenSSL has no TLS 1.3: \(Self.reason)") }
        // A key behind a pass phrase is an error, never a question on the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }

        if verifiesPeer {
            let authority = folder + "/ca-cert.pem"
            guard unsafe SSL_CTX_load_verify_locations(context, authority, nil) == 1 else {
                throw Self.unreadable(authority, "the authority's certificate")
            }
            let revoked = folder + "/ca-crl.pem"
            if unsafe access(revoked, F_OK) == 0 {
                let store = unsafe SSL_CTX_get_cert_store(context)
                guard unsafe X509_STORE_load_locations(store, revoked, nil) == 1 else {
                    throw Self.unreadable(revoked, "the list of revoked certificates")
                }
                unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK))
            }
            let mode = isServer ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER
            unsafe SSL_CTX_set_verify(context, mode, nil)
        }
        let role = isServer ? "server" : "client"
        let (certificate, key) = files ?? (folder + "/\(role)-cert.pem", folder + "/\(role)-key.pem")
        if !isServer, unsafe access(certificate, F_OK) != 0, unsafe access(key, F_OK) != 0 { return }
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw Self.unreadable(certificate, "the certificate")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else { throw Self.unreadable(key, "the private key") }
    }

    deinit { unsafe SSL_CTX_free(context) }

    private static func unreadable(_ path: String, _ what: String) -> BlockError {
        // Opened, not looked at: access(2) knows nothing of a confinement.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno != EACCES { return BlockError(call: "open", errno: errno, path: path) }
            return BlockError(
                .denied,
                "\(what) may not be read by this process; a data path that is confined to its files cannot read certificates "
                    + "there, only below /etc/ssl", path: path)
        }
        close(descriptor)
        return BlockError(
            .denied, "\(what) cannot be used (\(reason)); it must be a PEM file without a pass phrase", path: path)
    }

    /// What OpenSSL says about this thread's last failure, in words; empties its list.
    static var reason: String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "no reason given" }
        return unsafe String(cString: text)
    }
}
