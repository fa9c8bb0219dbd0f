import BlockIO

extension DynamicVHD: BulkDestination {
    /// Blocks that this program makes have their data on page boundaries, so they go past the page cache whole.
    func bypassCache() { file.bypassCache() }
    var bypassesCache: Bool { file.bypassesCache }
}
