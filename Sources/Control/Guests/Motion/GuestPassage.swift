/// Where a guest is on its way from one QEMU to another: to another host, into a file, or out of one.
public enum GuestPassage: String, Sendable, Hashable, CaseIterable {
    // Of the QEMU that the guest leaves.

    /// The guest runs, and its memory is sent.
    case sending
    /// What is left of its memory goes within the limit. The guest stands, its disks are flushed; QEMU waits for `handOver` or
    /// `cancelSending`.
    case atSwitchover
    /// The rest is sent. QEMU writes to no disk any more.
    case handingOver
    /// The guest is to stay.
    case cancelling
    /// It was not sent, and QEMU is about to let it go on.
    case returning
    /// Everything was sent. The guest stands until it is known whether it runs elsewhere.
    case held

    // Of the QEMU that it comes to.

    /// QEMU waits for the stream. It has connections to the disks' servers and asks nothing of them.
    case waiting
    /// The stream is read.
    case loading
    /// All of it was read. The guest stands until it is told to run here.
    case loaded

    /// It was told to run, of either QEMU.
    case beginning
}

/// What of a guest's passage survives the daemon. QEMU knows the rest.
enum GuestRole: String, Codable, Sendable {
    /// A guest is to come.
    case incoming
    /// Its memory may be under way, and the guest is not to be handed over.
    case outgoing
    /// It may have been handed over: only QEMU's word that it was not, or the caller's, lets it run again.
    case held
    /// It was told to run: that order stands.
    case ordered
}
