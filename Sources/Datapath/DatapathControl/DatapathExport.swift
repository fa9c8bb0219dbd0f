/// What a data path calls the disk that it serves.
public enum DatapathExport {
    /// To be written, unless the disk is read-only.
    public static let disk = "disk"
    /// The same for who only reads, whatever the disk is to others: writes are refused.
    public static let readOnly = "disk-read-only"
    /// A disk that two fill at once has these, too: who brings what is written just now, in whole sectors, …
    public static let newer = "disk-newer"
    /// … and who brings what it held before, of which nothing takes the place of what has come by `newer` in this process.
    public static let older = "disk-older"
}
