import DatapathControl

/// gantry-datapath serve  --image PATH --format FMT [--read-only] --nbd SOCKET --control SOCKET
///                        [--crash-mark FILE] [--mirror-map FILE] [--wait] [--confine-files] [--parent FMT:PATH]...
///                        [--user NUMBER --folder FOLDER]
/// gantry-datapath import --image PATH --format FMT --as FMT [--frames]    (stream on standard input)
/// gantry-datapath export --image PATH --format FMT --as FMT [--base JSON]    (stream on standard output; ImageSpecification)
/// gantry-datapath copy   --image PATH --format FMT --plan JSON     (DiskCopyPlan; lines with the done part on standard output,
///                                                                     and with its pace, MirrorSettings, on standard input)
/// gantry-datapath dial   --image TEXT --format nbd|nbd-uri    (asked on standard input; see Dialer)
/// gantry-datapath gate   --folder FOLDER [--user NUMBER] [--certificate FILE --key FILE]    (orders on standard input)
/// `--parent` names the images below, nearest first, with `--no-links` none of them may be a symbolic link; `--change-log` is
/// the log in which changed blocks are marked; import, export and copy know them too, and `--user`.
/// Started by the toolstack only. `serve` prints {"ready":true} when both sockets answer; with `--wait` it does nothing
/// before it has read a byte from standard input, and ends when there is none. A failure is one JSON line
/// {"code":…,"message":…} on standard error and exit status 1; wrong usage is 2.
struct Options {
    var mode = ""
    var values: [String: String] = [:]
    var parents: [ImageSpecification.Parent] = []
    var readOnly = false
    var wait = false
    var refusesLinks = false
    /// The stream names the offsets of its parts.
    var inFrames = false
    /// What is needed later is handed over open.
    var confinesFiles = false

    init?(_ arguments: [String]) {
        guard arguments.count > 1 else { return nil }
        mode = arguments[1]
        var index = 2
        while index < arguments.count {
            if arguments[index] == "--read-only" {
                readOnly = true
                index += 1
            } else if arguments[index] == "--wait" {
                wait = true
                index += 1
            } else if arguments[index] == "--frames" {
                inFrames = true
                index += 1
            } else if arguments[index] == "--confine-files" {
                confinesFiles = true
                index += 1
            } else if arguments[index] == "--no-links" {
                refusesLinks = true
                index += 1
            } else if arguments[index] == "--parent", index + 1 < arguments.count {
                let parts = arguments[index + 1].split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { return nil }
                parents.append(ImageSpecification.Parent(path: String(parts[1]), format: String(parts[0])))
                index += 2
            } else if index + 1 < arguments.count, arguments[index].hasPrefix("--") {
                values[String(arguments[index].dropFirst(2))] = arguments[index + 1]
                index += 2
            } else {
                return nil
            }
        }
    }

    /// Whose process it is from before it looks at an image: `--folder` is its own then, with the mirror's map in it.
    var user: UInt32? { values["user"].flatMap(UInt32.init) }

    var image: ImageSpecification? {
        guard let path = values["image"], let format = values["format"] else { return nil }
        var image = ImageSpecification(
            path: path, format: format, readOnly: readOnly, parents: parents.isEmpty ? nil : parents,
            refusesLinks: refusesLinks ? true : nil)
        image.changeLog = values["change-log"]
        return image
    }
}
