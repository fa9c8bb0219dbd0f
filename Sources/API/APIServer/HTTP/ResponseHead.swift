import HTTPTypes
import NIOCore

/// Writes status lines and fields.
enum ResponseHead {
    /// `isLast`: the connection ends with this answer, and the client is told.
    static func write(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, minorVersion: Int, isLast: Bool,
        to buffer: inout ByteBuffer
    ) {
        writeLine(status, minorVersion: minorVersion, to: &buffer)
        for field in fields where !isLast || field.name != .connection {
            // Nothing from outside can break a line: HTTPField has no line ends in its values.
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString(isLast ? "Connection: close\r\n\r\n" : "\r\n")
    }

    /// The head of an answer to a call: always the same, so without the detour through fields.
    static func writeCall(
        contentType: String, length: Int, minorVersion: Int, isLast: Bool, to buffer: inout ByteBuffer
    ) {
        writeLine(.ok, minorVersion: minorVersion, to: &buffer)
        buffer.writeStaticString("Content-Type: ")
        buffer.writeString(contentType)
        buffer.writeStaticString("\r\nContent-Length: ")
        buffer.writeString(String(length))
        buffer.writeStaticString("\r\nCache-Control: no-cache, no-store\r\nAccess-Control-Allow-Origin: *\r\n")
        buffer.writeStaticString(isLast ? "Connection: close\r\n\r\n" : "\r\n")
    }

    static let `continue`: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    private static func writeLine(_ status: HTTPResponse.Status, minorVersion: Int, to buffer: inout ByteBuffer) {
        buffer.writeStaticString(minorVersion == 0 ? "HTTP/1.0 " : "HTTP/1.1 ")
        buffer.writeString(String(status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(HTTPAnswer.phrase(of: status))
        buffer.writeStaticString("\r\n")
    }
}
