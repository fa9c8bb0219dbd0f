/// What bitmaps and directories occupy.
struct QCOW2BitmapRuns {
    struct Part {
        var run: ClusterRun
        /// A directory or a table, which is a structure of the image.
        var isStructure: Bool
        /// This session took the clusters for them, when nothing else had them.
        var isMade: Bool
    }

    private(set) var parts: [Part] = []

    /// Of bitmaps that may lie over anything; their tables are no structures.
    init(ofDoubtful runs: [ClusterRun] = []) {
        parts = runs.map { Part(run: $0, isStructure: false, isMade: false) }
    }

    var clusterCount: UInt64 { parts.reduce(0) { $0 + $1.run.count } }

    /// A directory, or a bitmap: its table first.
    mutating func add(_ runs: [ClusterRun], isMade: Bool) {
        for (number, run) in runs.enumerated() {
            parts.append(Part(run: run, isStructure: number == 0, isMade: isMade))
        }
    }

    mutating func add(_ other: QCOW2BitmapRuns) { parts += other.parts }
}
