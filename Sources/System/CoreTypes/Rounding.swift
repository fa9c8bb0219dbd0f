extension UInt64 {
    /// The least multiple of `unit` that is not below this; nil when it does not fit 64 bits. `unit` > 0.
    public func roundedUp(to unit: UInt64) -> UInt64? {
        let rest = self % unit
        if rest == 0 { return self }
        let (sum, overflow) = addingReportingOverflow(unit - rest)
        return overflow ? nil : sum
    }

    /// The greatest multiple of `unit` that is not above this. `unit` > 0.
    public func roundedDown(to unit: UInt64) -> UInt64 { self - self % unit }

    /// This divided by `unit`, rounded up. `unit` > 0.
    public func dividedRoundingUp(by unit: UInt64) -> UInt64 { self / unit + (self % unit == 0 ? 0 : 1) }
}
