/// What every device, image and copy of this library throws: a coarse code to branch on, and what a person needs.
public struct BlockError: Error, Sendable, CustomStringConvertible {
    /// Coarse reason. New codes may be added: compare, never switch exhaustively.
    public struct Code: Hashable, Sendable {
        public let name: String
        private init(_ name: String) { self.name = name }

        /// The storage failed (EIO and what is like it).
        public static let io = Code("io")
        /// The storage below is full (ENOSPC, EDQUOT, EFBIG).
        public static let noSpace = Code("noSpace")
        /// A request reaches past the end of the device or is not representable.
        public static let outOfRange = Code("outOfRange")
        /// A write to a device that was opened read-only.
        public static let readOnly = Code("readOnly")
        /// The file is not, or not wholly, an image of the declared format.
        public static let invalidImage = Code("invalidImage")
        /// The image is of the declared format and its metadata contradict themselves; it must not be written.
        public static let corrupt = Code("corrupt")
        /// A feature of the format, or an operation, that is not built.
        public static let unsupported = Code("unsupported")
        /// A size or count above what the format or this library allows.
        public static let limitExceeded = Code("limitExceeded")
        /// No such file.
        public static let notFound = Code("notFound")
        /// The file exists already.
        public static let exists = Code("exists")
        /// Another process has the image open.
        public static let busy = Code("busy")
        /// EACCES, EPERM, or a path that policy refuses.
        public static let denied = Code("denied")
        /// The caller asked to stop.
        public static let cancelled = Code("cancelled")
        /// A remote end went away or broke its protocol.
        public static let disconnected = Code("disconnected")
        /// The request must wait for the outcome of a pivot; never leaves the mirror.
        public static let undecided = Code("undecided")
        /// A peer has not answered while its caller would wait (`Patience`). It may do the change all the same, at any time.
        public static let late = Code("late")
    }

    public let code: Code
    /// What happened and what to do about it, without the path.
    public let message: String
    /// The file concerned.
    public let path: String?
    /// Byte offset concerned, in the file or device that `message` speaks of.
    public let offset: UInt64?
    /// The system's error number behind it, 0 when there is none.
    public let systemError: Int32

    public init(_ code: Code, _ message: String, path: String? = nil, offset: UInt64? = nil, systemError: Int32 = 0) {
        self.code = code
        self.message = message
        self.path = path
        self.offset = offset
        self.systemError = systemError
    }

    public var description: String {
        var text = path.map { "\($0): " } ?? ""
        text += message
        if let offset { text += " (at byte \(offset))" }
        return text
    }

    /// The same error with the file named, unless it already names one.
    public func at(path: String) -> BlockError {
        self.path == nil
            ? BlockError(code, message, path: path, offset: offset, systemError: systemError) : self
    }
}
