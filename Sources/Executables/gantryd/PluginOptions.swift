import APIServer
import ArgumentParser
import Foundation

/// What there is of storage drivers of others, and how they are run.
struct PluginOptions: ParsableArguments {
    enum Sandbox: String, ExpressibleByArgument {
        case none, namespace
    }

    @Option(help: "Folder of SMAPIv1 drivers, which are programs named <TYPE>SR; may be given again.")
    var smDir: [String] = []
    @Option(help: "The SMAPIv1 drivers that may be used: types in lower case with commas between; without it all.")
    var smPlugins: String?
    @Option(help: "Seconds that a call of a driver or plugin may take before it is killed.") var smTimeLimit = 1800
    @Option(help: "Folder of SMAPIv3 plugins: volume/<plugin> and datapath/<scheme>.") var storageScriptRoot: String?
    @Option(help: "none, or namespace: drivers and plugins get a private /tmp, limits and no new privileges.")
    var pluginSandbox = Sandbox.none
    @Option(help: "Folder where SMAPIv3 plugins keep the files of their data sources.")
    var pluginMetricsDir = ServerConfiguration.standardPluginMetrics
    @Option(help: "User of the system that SMAPIv3 plugins run as.") var pluginUser: String?

    func validate() throws {
        guard smTimeLimit > 0 else { throw ValidationError("--sm-time-limit is at least 1") }
        guard pluginSandbox == .namespace else { return }
        for folder in smDir + [storageScriptRoot].compactMap({ $0 }) {
            let path = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
            if path == "/tmp" || path.hasPrefix("/tmp/") {
                throw ValidationError("\(folder) is below /tmp, which --plugin-sandbox namespace hides from plugins")
            }
        }
    }

    func apply(to configuration: inout ServerConfiguration) {
        configuration.driverFolders = smDir
        configuration.pluginRoot = storageScriptRoot
        configuration.driverTimeLimit = smTimeLimit
        configuration.sandboxesPlugins = pluginSandbox == .namespace
        configuration.pluginUser = pluginUser
        configuration.pluginMetrics = pluginMetricsDir
        configuration.allowedDrivers = smPlugins.map {
            Set($0.lowercased().split { $0 == "," || $0 == " " }.map(String.init))
        }
    }
}
