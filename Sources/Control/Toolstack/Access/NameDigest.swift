import Crypto

/// MD5 in the shape of a UUID. Only for names: the references of roles are made from it, and clients know them. It protects
/// nothing.
enum NameDigest {
    static func uuid(_ text: String) -> String {
        let digits = Insecure.MD5.hash(data: Array(text.utf8)).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0\(hex)" : hex
        }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }
}
