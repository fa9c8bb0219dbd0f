import Glibc

/// The time of day, for what the API shows as dates.
enum WallClock {
    /// Seconds since 1970.
    static var seconds: Int64 { Int64(time(nil)) }
}
