import BlockIO
import CoreTypes
import Datapath
import DatapathControl
import Foundation

/// gantry-datapath serve  --image PATH --format FMT [--read-only] --nbd SOCKET --control SOCKET
/// gantry-datapath import --image PATH --format FMT --as FMT    (stream on standard input)
/// gantry-datapath export --image PATH --format FMT --as FMT    (stream on standard output)
/// Started by the toolstack only. `serve` prints {"ready":true} when both sockets answer. A failure is one JSON line
/// {"code":…,"message":…} on standard error and exit status 1; wrong usage is 2.
struct Options {
    var mode = ""
    var values: [String: String] = [:]
    var readOnly = false

    init?(_ arguments: [String]) {
        guard arguments.count > 1 else { return nil }
        mode = arguments[1]
        var index = 2
        while index < arguments.count {
            if arguments[index] == "--read-only" {
                readOnly = true
                index += 1
            } else if index + 1 < arguments.count, arguments[index].hasPrefix("--") {
                values[String(arguments[index].dropFirst(2))] = arguments[index + 1]
                index += 2
            } else {
                return nil
            }
        }
    }

    var image: ImageSpecification? {
        guard let path = values["image"], let format = values["format"] else { return nil }
        return ImageSpecification(path: path, format: format, readOnly: readOnly)
    }
}

func run() throws -> Int32 {
    guard let options = Options(CommandLine.arguments), let image = options.image else { return 2 }
    switch (options.mode, options.values["nbd"], options.values["control"], options.values["as"].flatMap(ImageFormat.init(parsing:))) {
    case ("serve", let nbd?, let control?, _):
        let service = try DatapathService(image: image, nbdSocket: nbd, controlSocket: control)
        FileHandle.standardOutput.write(Data("{\"ready\":true}\n".utf8))
        try service.run()
    case ("import", _, _, let format?):
        try ImageTransfer.receive(from: 0, streamFormat: format, into: image)
    case ("export", _, _, let format?):
        try ImageTransfer.send(image, to: 1, streamFormat: format)
    default: return 2
    }
    return 0
}

do {
    exit(try run())
} catch {
    let failure = error as? BlockError
    let report = ["code": failure?.code.name ?? "io", "message": "\(error)"]
    let line = try JSONEncoder().encode(report) + Data("\n".utf8)
    FileHandle.standardError.write(line)
    exit(1)
}
