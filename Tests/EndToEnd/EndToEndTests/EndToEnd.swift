import Testing

/// Whole systems: a daemon of this build, its processes, real clients and guests. One at a time: each wants the machine.
@Suite(.serialized) struct EndToEnd {}
