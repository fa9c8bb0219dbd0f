import Glibc

extension ImageFile {
    /// Gives this file the owner, group and permissions of another one, which it is to replace, as far as this process may.
    /// Where the group cannot be kept, it may do what everybody may.
    public func takeAccess(of other: ImageFile) throws(BlockError) {
        var (own, wanted) = (stat(), stat())
        try checkOpen()
        try other.checkOpen()
        // SAFETY: local variables, filled by the calls.
        guard unsafe fstat(descriptor, &own) == 0, unsafe fstat(other.descriptor, &wanted) == 0 else {
            throw BlockError(call: "fstat", errno: errno, path: path)
        }
        var mode = wanted.st_mode & 0o777
        // Nobody gets more meanwhile than both files allow.
        if own.st_mode & 0o777 != mode { try changeMode(own.st_mode & mode) }
        // Only who may gives files to others; the new one is its maker's otherwise.
        if own.st_uid != wanted.st_uid { _ = fchown(descriptor, wanted.st_uid, .max) }
        let isGrouped = own.st_gid == wanted.st_gid || fchown(descriptor, .max, wanted.st_gid) == 0
        if !isGrouped { mode = mode & 0o707 | (mode & 0o007) << 3 }
        try changeMode(mode)
    }

    private func changeMode(_ mode: mode_t) throws(BlockError) {
        guard fchmod(descriptor, mode & 0o777) == 0 else { throw BlockError(call: "fchmod", errno: errno, path: path) }
    }
}
