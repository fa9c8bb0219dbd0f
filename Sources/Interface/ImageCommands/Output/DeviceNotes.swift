import BlockIO
import DiskImages
import TerminalUI

/// What opening an image has found that is no error: a parent that was changed, a disk that is shortened.
enum DeviceNotes {
    /// A line on standard error for each note, `path` in front.
    static func tell(_ device: any BlockDevice, _ path: String) {
        for note in DiskImage.notes(of: device) {
            TerminalOutput.standardError.write("gantry: \(path): \(note)\n")
        }
    }
}
