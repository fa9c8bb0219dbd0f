import BlockIO
import CoreTypes
import Datapath
import DatapathControl
import Foundation

func run() throws -> Int32 {
    guard let options = Options(CommandLine.arguments) else { return 2 }
    if options.mode == "gate" { return try GateService.run(options.values, user: options.user) }
    guard let image = options.image else { return 2 }
    let stream = options.values["as"].flatMap(ImageFormat.init(parsing:))
    switch (options.mode, options.values["nbd"], options.values["control"], stream) {
    case ("serve", let nbd?, let control?, _):
        // Whoever started us died before it wrote down that we exist: nobody would ever end us.
        if options.wait, try FileHandle.standardInput.read(upToCount: 1)?.isEmpty != false { return 1 }
        if let user = options.user, let folder = options.values["folder"] {
            try DatapathIsolation.serve(
                image, user: user, folder: folder, nbdSocket: nbd, controlSocket: control,
                crashMark: options.values["crash-mark"], mirrorMap: options.values["mirror-map"])
            return 0
        }
        if options.confinesFiles {
            let own = [nbd, control] + ["crash-mark", "mirror-map"].compactMap { options.values[$0] }
            DatapathConfinement.keepFiles(
                of: [image], folders: Set(own.map { ($0 as NSString).deletingLastPathComponent }).sorted())
        }
        DatapathConfinement.apply()
        let service = try DatapathService(
            image: image, nbdSocket: nbd, controlSocket: control, crashMark: options.values["crash-mark"],
            mirrorMap: options.values["mirror-map"])
        try service.announce(DatapathReady())
        try service.run()
    case ("import", _, _, let format?):
        // Only raw content has frames: the others say themselves what is where.
        if options.inFrames && format != .raw { return 2 }
        try ImageTransfer.receive(
            from: 0, streamFormat: format, inFrames: options.inFrames, into: image, isolatedAs: options.user)
    case ("export", _, _, let format?):
        let base = try options.values["base"].map {
            try JSONDecoder().decode(ImageSpecification.self, from: Data($0.utf8))
        }
        try ImageTransfer.send(image, base: base, to: 1, streamFormat: format, isolatedAs: options.user)
    case ("dial", _, _, _):
        try Dialer.run(image, channel: 0)
    case ("copy", _, _, _):
        guard let plan = options.values["plan"] else { return 2 }
        try ImageCopy.run(
            image, try JSONDecoder().decode(DiskCopyPlan.self, from: Data(plan.utf8)), output: .standardOutput,
            isolatedAs: options.user)
    default: return 2
    }
    return 0
}

do {
    exit(try run())
} catch {
    let code = error is ImageCopy.Different ? DiskCopyPlan.differs : (error as? BlockError)?.code.name ?? "io"
    let report = ["code": code, "message": "\(error)"]
    let line = try JSONEncoder().encode(report) + Data("\n".utf8)
    FileHandle.standardError.write(line)
    exit(1)
}
