import NIOCore
import NIOHTTP1

/// How long and how much a client may take. Numbers of bytes, times of the monotonic clock.
struct HTTPLimits: Sendable {
    /// Target and fields together; a field in a piece, too.
    var head = 32 << 10
    /// Fields of a head.
    var fields = 128
    /// What has come and cannot be read as HTTP yet: more than one piece from the kernel or from TLS, which have at most 64
    /// and 80 KiB.
    var undecoded = 128 << 10
    /// Body of a call.
    var callBody = 300 << 10
    /// From a connection's beginning, or the end of an answer, to the next request's first byte.
    var idle = TimeAmount.seconds(300)
    /// From the first byte of a head to its last.
    var headTime = TimeAmount.seconds(30)
    /// From the end of a call's head to the last byte of its body.
    var callTime = TimeAmount.seconds(120)
    /// From one piece of an upload to the next.
    var uploadStall = TimeAmount.seconds(300)
    /// How long a client may leave bytes that are ready for it unread.
    var readerStall = TimeAmount.seconds(300)
    /// How long an answer may take after the client closed its sending side, and what follows the last answer.
    var farewell = TimeAmount.seconds(60)
    /// From the last answer to the end when the client still sends.
    var linger = TimeAmount.seconds(2)
    /// Open connections over TCP, with and without TLS together, as far as the limit on open files allows.
    var connections = 16_384
    /// Open connections of the local socket, which strangers cannot use up.
    var localConnections = 1024

    /// Bytes of an answer that are on their way before its producer has to wait.
    var window = 256 << 10
    /// Bytes of an upload that are held for their consumer.
    var readAhead = 256 << 10

    /// What the decoder keeps to.
    var decoding: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = head
        limits.maxHeaderListSize = head
        limits.maxHeaderFieldCount = fields
        return limits
    }
}
