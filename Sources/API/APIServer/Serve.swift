import DataModel
import Foundation
import Logging
import RPCCodec
import Toolstack

/// Starts the toolstack and its API, says on standard output that it is ready, and runs until SIGTERM or SIGINT. Guests
/// and data paths go on afterwards. SIGHUP reads the certificate again. Throws when it cannot start.
public func serve(_ configuration: ServerConfiguration) async throws {
    if let release = configuration.compatibility.flatMap({ Release($0) }) { Datamodel.behave(like: release) }
    let signals = ShutdownSignals()
    var toolstackConfiguration = ToolstackConfiguration(
        stateDirectory: configuration.stateDirectory, runDirectory: configuration.runDirectory,
        acceleration: configuration.acceleration, initialPasswordFile: configuration.initialPasswordFile,
        pamService: configuration.pamService, logger: configuration.logger)
    toolstackConfiguration.driverFolders = configuration.driverFolders
    toolstackConfiguration.pluginRoot = configuration.pluginRoot
    toolstackConfiguration.allowedDrivers = configuration.allowedDrivers
    toolstackConfiguration.driverTimeLimit = configuration.driverTimeLimit
    toolstackConfiguration.sandboxesPlugins = configuration.sandboxesPlugins
    toolstackConfiguration.pluginUser = configuration.pluginUser
    toolstackConfiguration.pluginMetrics = configuration.pluginMetrics
    toolstackConfiguration.nbdPort = configuration.nbdPort
    toolstackConfiguration.datapathUsers = configuration.datapathUsers
    toolstackConfiguration.bootFolders = configuration.bootFolders
    toolstackConfiguration.socket = configuration.socket
    let toolstack = try await Toolstack.start(configuration: toolstackConfiguration)
    let service: APIService
    do {
        service = try await APIService.start(
            dispatcher: toolstack.dispatcher, transfers: toolstack.transfers, services: toolstack.services,
            on: APIListeners(
                http: configuration.http, https: configuration.https,
                certificateFolder: configuration.stateDirectory + "/tls", socket: configuration.socket),
            logger: configuration.logger)
    } catch {
        await toolstack.stop()
        throw error
    }
    toolstack.apiAnswers()
    let folder = configuration.stateDirectory + "/tls"
    await toolstack.services.exports.open { try TLSIdentity.forExports(folder: folder) }
    if let url = service.httpsURL ?? service.httpURL { try await toolstack.services.consoles.announce(url) }
    try FileHandle.standardOutput.write(contentsOf: Data((readyLine(service) + "\n").utf8))
    var name = await signals.next()
    while name == ShutdownSignals.reload {
        do {
            try service.reloadCertificate()
            await toolstack.services.exports.certificateChanged()
            configuration.logger.notice("the certificate has been read again")
        } catch {
            configuration.logger.error("the old certificate stays in use", metadata: ["error": "\(error)"])
        }
        name = await signals.next()
    }
    configuration.logger.info("stopping", metadata: ["signal": "\(name)"])
    await service.stop()
    await toolstack.stop()
}

/// One line of JSON that says where everything answers.
private func readyLine(_ service: APIService) -> String {
    var members = [WireMember("ready", .bool(true))]
    if let url = service.httpURL { members.append(WireMember("http", .string(url))) }
    if let url = service.httpsURL { members.append(WireMember("https", .string(url))) }
    if let path = service.socketPath { members.append(WireMember("socket", .string(path))) }
    members.append(WireMember("pid", .int(Int64(ProcessInfo.processInfo.processIdentifier))))
    return JSONText.encode(.structure(members))
}
