import Logging
import Toolstack

/// What a host shows over HTTP beside calls and disks.
struct HostEndpoints: Sendable {
    let dispatcher: Dispatcher
    let services: HostServices
    let logger: Logger

    func register(in routes: inout HTTPRoutes) {
        let login = RequestLogin(dispatcher: dispatcher)
        MetricsEndpoint(login: login, services: services).register(in: &routes)
        BlobEndpoint(login: login, blobs: services.blobs).register(in: &routes)
        ConsoleEndpoint(login: login, consoles: services.consoles, logger: logger).register(in: &routes)
        PeerEndpoint(login: login, arrivals: services.arrivals, logger: logger).register(in: &routes)
        StorageServiceEndpoint(login: login, received: services.received, logger: logger).register(in: &routes)
    }
}
