import DatapathControl
import Synchronization

/// Which image a data path stands on, and which one it mirrors to.
final class ImagePair: Sendable {
    private struct State {
        var image: ImageSpecification
        var destination: ImageSpecification?
    }

    private let state: Mutex<State>

    init(_ image: ImageSpecification) { state = Mutex(State(image: image)) }

    var both: (image: ImageSpecification, destination: ImageSpecification?) {
        state.withLock { ($0.image, $0.destination) }
    }

    /// Another image stands for the same disk.
    func replace(_ image: ImageSpecification) { state.withLock { $0.image = image } }

    func setDestination(_ destination: ImageSpecification?) { state.withLock { $0.destination = destination } }

    /// The destination takes the image's place.
    func commit() {
        state.withLock {
            if let destination = $0.destination { $0.image = destination }
            $0.destination = nil
        }
    }
}
