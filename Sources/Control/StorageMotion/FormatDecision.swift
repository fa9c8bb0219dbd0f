public import CoreTypes
public import StorageInterface

/// The one decision about a disk's destination format, taken before anything is created: explicit choice → the
/// destination's preferred formats → the source's format → the driver's own order; the first that the manager supports and whose limits fit.
public enum FormatDecision {
    public enum Refusal: Error, Hashable, Sendable {
        /// Not a format at all; `given` as the caller wrote it.
        case unknown(given: String)
        /// The destination does not declare the format.
        case unsupported(ImageFormat)
        /// The destination's driver declares formats, and not one that every host of the pool has.
        case nothingInCommon
        /// No format that may be used can hold the size; the limit is the largest one of the candidates, bytes.
        case tooLarge(limit: UInt64)
    }

    /// Whose word it was.
    public enum Reason: String, Hashable, Sendable {
        /// The caller named it.
        case chosen
        /// The destination's `preferred-image-formats` has it.
        case preferred
        /// The disk has it now.
        case source
        /// It is the first of the driver's own that can hold the disk, or the driver decides.
        case driver
    }

    public struct Outcome: Hashable, Sendable {
        /// Nil: the driver declares no formats and decides by itself.
        public let format: ImageFormat?
        /// The virtual size that the new disk gets, bytes.
        public let size: UInt64
        public let reason: Reason
    }

    /// - Parameters:
    ///   - choice: what the caller wrote: a format, or a comma-separated list in order of preference; empty: no choice.
    ///   - size: the source's virtual size, bytes.
    ///   - source: the source's format, nil when unknown.
    ///   - configuration: the destination PBD's device_config.
    ///   - promised: of the formats that the manager declares, those that may be used, as every host of the pool has them;
    ///     nil: all. Only a manager that declares none decides by itself.
    public static func decide(
        choice: String, size: UInt64, source: ImageFormat?, manager: any StorageManager,
        configuration: [String: String], promised: [ImageFormat]? = nil
    ) throws(Refusal) -> Outcome {
        let supported = promised ?? manager.info.supportedImageFormats
        if manager.info.supportedImageFormats.isEmpty {
            // Nothing can be promised and nothing refused but words that are no formats.
            let chosen = try words(choice).first
            return Outcome(format: chosen, size: size, reason: chosen == nil ? .driver : .chosen)
        }
        if supported.isEmpty {
            _ = try words(choice)
            throw .nothingInCommon
        }
        let candidates = try candidates(
            choice: choice, source: source, preferred: manager.preferredFormats(configuration), supported: supported)
        var limit: UInt64 = 0
        for (format, reason) in candidates {
            if let rounded = try? manager.roundedSize(size, format: format, configuration: configuration) {
                return Outcome(format: format, size: rounded, reason: reason)
            }
            limit = max(limit, manager.largestSize(format, configuration: configuration))
        }
        throw .tooLarge(limit: limit)
    }

    private static func candidates(
        choice: String, source: ImageFormat?, preferred: [ImageFormat], supported: [ImageFormat]
    ) throws(Refusal) -> [(ImageFormat, Reason)] {
        let chosen = try words(choice)
        if chosen.isEmpty {
            // The driver's own order comes last: for new disks of SRs that prefer nothing, and when nothing else fits.
            let wanted =
                preferred.map { ($0, Reason.preferred) }
                + (source.map { [($0, Reason.source)] } ?? []) + supported.map { ($0, Reason.driver) }
            return wanted.filter { supported.contains($0.0) }
        }
        let usable = chosen.filter(supported.contains)
        if usable.isEmpty { throw .unsupported(chosen[0]) }
        return usable.map { ($0, .chosen) }
    }

    /// The formats of a list with commas.
    private static func words(_ choice: String) throws(Refusal) -> [ImageFormat] {
        var chosen: [ImageFormat] = []
        for part in choice.split(separator: ",") {
            let word = part.filter { !$0.isWhitespace }
            if word.isEmpty { continue }
            guard let format = ImageFormat(parsing: word) else { throw .unknown(given: word) }
            chosen.append(format)
        }
        return chosen
    }
}
