import CLinux
import Glibc

extension ImageFile {
    /// Lets `length` bytes at `offset` share the storage of those at `from` in `source`, as file systems with reflinks
    /// can; nothing is copied. False, and nothing done, where that is not possible: another or a lesser file system, or
    /// offsets and a length that are not multiples of its blocks.
    public func clone(
        from source: ImageFile, at from: UInt64, length: UInt64, to offset: UInt64
    ) throws(BlockError) -> Bool {
        try source.checkOpen()
        try checkWritable()
        if isBlockDevice || source.isBlockDevice { return false }
        while true {
            let result = gantry_clone_range(source.descriptor, from, descriptor, offset, length)
            if result >= 0 { return true }
            switch -result {
            case EINTR: continue
            case EOPNOTSUPP, ENOTTY, EXDEV, EINVAL, ENOSYS, EPERM, ETXTBSY, EBADF: return false
            default: throw failure("ioctl(FICLONERANGE)", -result, at: offset)
            }
        }
    }
}
