import BlockCopy
import BlockIO
import DatapathControl
import Synchronization

/// A mirror's destination that stands on other images, here or behind an export, holds their content already: until the pivot only what is different
/// is written, so that it shares with them what the source shares.
final class SparedDestination: Sendable {
    private let device = Mutex<SparingDevice?>(nil)

    func spare(_ opened: any BlockDevice, _ image: ImageSpecification) -> any BlockDevice {
        let isFilled = image.isFilled == true || image.parents?.isEmpty == false
        let spared = isFilled ? SparingDevice(opened) : nil
        device.withLock { $0 = spared }
        return spared ?? opened
    }

    /// The same destination, reached again: in the place of the one that failed, unless that was spared no more.
    func again(_ opened: any BlockDevice) -> any BlockDevice {
        device.withLock { device in
            if device == nil { return opened }
            let spared = SparingDevice(opened)
            device = spared
            return spared
        }
    }

    /// From here on guests' writes pass through as they are.
    func stop() {
        device.withLock {
            $0?.stopSparing()
            $0 = nil
        }
    }
}
