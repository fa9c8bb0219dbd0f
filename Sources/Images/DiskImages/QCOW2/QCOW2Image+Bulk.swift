public import BlockIO

extension QCOW2Image: BulkDestination {
    /// Data written in place or to new clusters goes past the page cache; tables are small and go through it.
    public func bypassCache() { storage.bypassCache() }
    public var bypassesCache: Bool { storage.bypassesCache }
}
