import Foundation

/// Reads disks through libvhdi, libvmdk and libqcow, which are no relatives of ours or of QEMU's.
public enum LibyalReader {
    private static let script = #"""
        import ctypes, sys
        kind, out, ranges, paths = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
        lib = ctypes.CDLL("lib%s.so.1" % kind)
        noun = {"vhdi": "file", "vmdk": "handle", "qcow": "file"}[kind]
        def call(name, *args):
            function = getattr(lib, "lib%s_%s_%s" % (kind, noun, name))
            function.restype = ctypes.c_ssize_t if name.startswith("read") else ctypes.c_int
            error = ctypes.c_void_p()
            result = function(*args, ctypes.byref(error))
            if result < 0 or (result != 1 and not name.startswith("read")):
                text = ctypes.create_string_buffer(4096)
                sprint = getattr(lib, "lib%s_error_backtrace_sprint" % kind)
                sprint(error, text, ctypes.c_size_t(4096))
                sys.exit("%s failed: %d\n%s" % (name, result, text.value.decode()))
            return result
        handles = []
        for path in paths:
            handle = ctypes.c_void_p()
            call("initialize", ctypes.byref(handle))
            call("open", handle, path.encode(), 1)
            if kind == "vmdk": call("open_extent_data_files", handle)
            handles.append(handle)
        for child, parent in reversed(list(zip(handles, handles[1:]))):
            call("set_parent_" + noun, child, parent)
        size = ctypes.c_uint64()
        call("get_media_size", handles[0], ctypes.byref(size))
        with open(out, "wb") as file:
            for text in ranges.split(",") if ranges else ["0:%d" % size.value]:
                offset, count = map(int, text.split(":"))
                while count:
                    buffer = ctypes.create_string_buffer(min(count, 1 << 20))
                    done = call("read_buffer_at_offset", handles[0], buffer, ctypes.c_size_t(len(buffer)),
                                ctypes.c_int64(offset))
                    if done <= 0: sys.exit("short read at %d" % offset)
                    file.write(buffer.raw[:done])
                    offset += done
                    count -= done
        print(size.value)
        """#

    /// The size of the disk, and the bytes of `ranges` (all, when empty) one behind the other.
    /// - Parameters:
    ///   - library: `vhdi`, `vmdk` or `qcow`.
    ///   - paths: the image, then its parents.
    public static func read(
        _ library: String, _ paths: [String], _ ranges: [(offset: UInt64, count: Int)] = []
    ) throws -> (size: UInt64, bytes: [UInt8]) {
        let folder = try ScratchFolder("libyal")
        let text = ranges.map { "\($0.offset):\($0.count)" }.joined(separator: ",")
        let printed = try Tool.check("python3", ["-c", script, library, folder.file("out"), text] + paths)
        let size = UInt64(printed.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .max
        return (size, [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("out")))))
    }
}
