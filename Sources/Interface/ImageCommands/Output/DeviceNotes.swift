import BlockIO
import CoreTypes
import DiskImages
import TerminalUI

/// What opening an image has found that is no error: a parent that was changed, a disk that is shortened.
enum DeviceNotes {
    /// A line on standard error for each note, `path` in front.
    static func tell(_ device: any BlockDevice, _ path: String) { tell(DiskImage.notes(of: device), path) }

    /// Of an image that is about to be changed together with others, or in a way that opens it by itself: before that is done.
    /// - Throws: what opening the image and its parents throws.
    static func tellChain(_ path: String, _ format: ImageFormat, _ policy: OpenPolicy) throws(BlockError) {
        tell(try DiskImage.lineage(path: path, format: format, policy: policy).notes, path)
    }

    private static func tell(_ notes: [String], _ path: String) {
        for note in notes { TerminalOutput.standardError.write("gantry: \(path): \(note)\n") }
    }
}
