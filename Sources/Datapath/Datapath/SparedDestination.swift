import BlockCopy
import BlockIO
import DatapathControl
import Synchronization

/// A mirror's destination that stands on other images, here or behind an export, holds their content already: until the pivot only what is different
/// is written, so that it shares with them what the source shares.
final class SparedDestination: Sendable {
    private let device = Mutex<SparingDevice?>(nil)

    func spare(_ opened: any BlockDevice, _ image: ImageSpecification) -> any BlockDevice {
        guard image.isFilled == true || image.parents?.isEmpty == false else { return opened }
        let spared = SparingDevice(opened)
        device.withLock { $0 = spared }
        return spared
    }

    /// From here on guests' writes pass through as they are.
    func stop() {
        device.withLock {
            $0?.stopSparing()
            $0 = nil
        }
    }
}
