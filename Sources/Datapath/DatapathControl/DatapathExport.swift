/// What a data path calls the disk that it serves.
public enum DatapathExport {
    /// To be written, unless the disk is read-only.
    public static let disk = "disk"
    /// The same for who only reads, whatever the disk is to others: writes are refused.
    public static let readOnly = "disk-read-only"
}
