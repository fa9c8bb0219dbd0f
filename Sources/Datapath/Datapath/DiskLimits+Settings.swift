import DatapathControl
import NBDTransport

extension DiskLimits {
    init(_ settings: DiskLimitSettings) {
        self.init()
        let limit = { (rate: DiskLimitSettings.Rate?) in
            rate.map { RateLimit(perSecond: $0.perSecond, burst: $0.burst) }
        }
        operations = limit(settings.operations)
        readOperations = limit(settings.readOperations)
        writeOperations = limit(settings.writeOperations)
        bytes = limit(settings.bytes)
        readBytes = limit(settings.readBytes)
        writeBytes = limit(settings.writeBytes)
    }
}
