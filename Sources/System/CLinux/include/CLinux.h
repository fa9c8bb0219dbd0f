// System calls, constants and vector code that Swift cannot import or express. No policy lives here.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

// True when all `length` bytes at `bytes` are zero. Any alignment.
bool gantry_is_zero(const void *bytes, size_t length);

// The length of the run at `bytes` that is zero, or of the one that is not: the first `first` bytes (at least 1, or all)
// and then as many pieces of `granule` bytes as are alike.
size_t gantry_run_length(const void *bytes, size_t length, size_t first, size_t granule, bool *zero);

// How many of `count` big-endian words at `words` (aligned) lie in low ... low + span and have none of the bits `clear`,
// each without its bits `ignored`. `others` becomes true when there are words that neither do so nor are 0; else it is
// left as it is.
size_t gantry_count_words(const uint64_t *words, size_t count, uint64_t ignored, uint64_t clear, uint64_t low,
                          uint64_t span, bool *others);

// Mappings of files, for looking at bytes that are in the page cache without copying them. A file that is cut short, or
// whose storage fails, makes looking at its mapping raise SIGBUS.
//
// Installs, once, a handler that lets `gantry_mapped_run_length` return then; every other SIGBUS goes to the handler
// that was there before. False when somebody else has taken the signal since: nothing may be looked at.
bool gantry_watch_mappings(void);
// Maps whole pages for reading; 0 or -errno.
int gantry_map(int fd, uint64_t offset, size_t length, const void **start);
void gantry_unmap(const void *start, size_t length);
// Brings the pages of a mapping in; 0 or -errno (-EFAULT: they are not there).
int gantry_populate(const void *start, size_t length);
// Like gantry_run_length, of bytes in a mapping; 0 when they cannot be read (any more).
size_t gantry_mapped_run_length(const void *bytes, size_t length, size_t first, size_t granule, bool *zero);

// fallocate(2) in its three uses; 0 or -errno.
int gantry_punch_hole(int fd, uint64_t offset, uint64_t length);
int gantry_zero_range(int fd, uint64_t offset, uint64_t length, bool keep_size);
int gantry_preallocate(int fd, uint64_t offset, uint64_t length);

// sync_file_range(2) in two uses; 0 or -errno. Begins to write what is dirty of a range, and waits for nothing but room in the
// disk's queue; waits for what is being written of it. The latter tells of a failed write like fdatasync(2): once.
int gantry_start_writing(int fd, uint64_t offset, uint64_t length);
int gantry_await_writing(int fd, uint64_t offset, uint64_t length);
// Pages of a range that are dirty, or -errno (-ENOSYS: the kernel is older than 6.5).
int64_t gantry_dirty_pages(int fd, uint64_t offset, uint64_t length);

// lseek(2) with SEEK_DATA / SEEK_HOLE: the found offset, or -errno (-ENXIO: no data up to the end of the file).
int64_t gantry_seek_data(int fd, uint64_t offset);
int64_t gantry_seek_hole(int fd, uint64_t offset);

// preadv2(2) with RWF_NOWAIT for one buffer: bytes read, or -errno (-EAGAIN: not in the page cache).
int64_t gantry_read_cached(int fd, void *buffer, size_t length, uint64_t offset);
// Looks at bytes on both sides of `offset`, at most 64 each: bit 0 is set when some byte before it is not zero, bit 1 when
// one from there on is not. -ENODATA: the file ends before. `only_cached`: -EAGAIN what is not in the page cache.
int gantry_sample(int fd, uint64_t offset, size_t before, size_t after, bool only_cached);

// Opens the file of `fd` once more, for O_DIRECT writing, and tells the kernel not to read ahead through `fd`.
// Descriptor or -errno.
int gantry_reopen_direct(int fd);

// copy_file_range(2): bytes copied, or -errno.
int64_t gantry_copy_file_range(int from, uint64_t from_offset, int to, uint64_t to_offset, size_t length);

// ioctl(2) FICLONERANGE: makes a range of `to` share the blocks of a range of `from`; 0 or -errno.
int gantry_clone_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t length);
// True when the file lies in memory only (tmpfs, ramfs).
bool gantry_is_in_memory(int fd);

// Size in bytes of a block device, or -errno.
int64_t gantry_block_device_size(int fd);

// Exclusive or shared open-file-description lock on the whole file, without waiting; 0 or -errno. -EAGAIN for a shared one,
// too, while QEMU may write to the file, whose own locks go along with shared ones.
int gantry_lock_file(int fd, bool exclusive);
// The same, exclusive, on a range of it that need not be there; -EAGAIN: some of it is somebody else's.
int gantry_lock_range(int fd, uint64_t start, uint64_t length);
// Gives the former up, also where a child process still shares the open file description.
int gantry_unlock_file(int fd);

// pthread_mutex_clocklock until a time of gantry_now; 0 or an errno.
int gantry_mutex_lock_until(void *mutex, uint64_t nanoseconds);
// The same for a pthread_rwlock_t, shared.
int gantry_rwlock_share_until(void *lock, uint64_t nanoseconds);
// The same, exclusively.
int gantry_rwlock_own_until(void *lock, uint64_t nanoseconds);
// How often the calling thread has slept of its own: for a lock, a disk, a time.
uint64_t gantry_sleeps(void);

// sendmsg/recvmsg without SIGPIPE; bytes or -errno.
int64_t gantry_send(int fd, const void *bytes, size_t length);
int64_t gantry_send_vector(int fd, const struct iovec *vector, int count);
int64_t gantry_receive(int fd, void *bytes, size_t length);
// The same without waiting: -EAGAIN.
int64_t gantry_receive_at_once(int fd, void *bytes, size_t length);
// A pipe that takes `capacity` bytes of whole pages; 0 or -errno, also where this user may not have so large a one. From here
// on the calling thread ignores SIGPIPE: moving pages to a socket has no other way to be told.
int gantry_page_pipe(int ends[2], int capacity);
// Puts pages of a file's cache into a pipe, without a copy and without waiting for room; bytes or -errno.
int64_t gantry_pages_from_file(int file, int64_t offset, int pipe, size_t length);
// Moves them on to a socket; bytes or -errno.
int64_t gantry_pages_to_socket(int pipe, int socket, size_t length);
// From here on the calling thread has turns of so many nanoseconds (at least 100,000) where others want its processor, too; its
// share stays what it is. False where the kernel knows no such turns (it does from 6.12 on) or the thread
// is not scheduled like any other.
bool gantry_take_short_turns(uint64_t nanoseconds);
// Processors that this thread may run on.
int gantry_processor_count(void);

// Unix-domain stream sockets. Paths of 108 bytes and longer are reached through /proc/self/fd of their folder.
// Return a descriptor, or -errno. Listening makes the file mode 0600; it appears when clients can connect, and replaces a
// socket that was there (-EEXIST for anything else).
int gantry_unix_listen(const char *path, int backlog);
// Connecting gives a server that does not accept half a minute: -ETIMEDOUT.
int gantry_unix_connect(const char *path);
// The same without waiting for a server that does not accept: -EAGAIN. The descriptor does not block.
int gantry_unix_connect_at_once(const char *path);
// TCP: numeric address and port. Listening with port 0 picks one; gantry_tcp_port tells which.
int gantry_tcp_listen(const char *address, uint16_t port, int backlog);
int gantry_tcp_connect(const char *host, uint16_t port);
int gantry_tcp_port(int fd);
int gantry_accept(int listener);
// The numeric address of a connected socket's peer, "" for a Unix socket's; 0 or -errno.
int gantry_peer_name(int fd, char *text, int length);

// Starts a program. `argv` and `envp` end with NULL (`envp` NULL: this process's own environment). Descriptors 0, 1
// and 2 of the child are the given ones (-1: /dev/null); all others are closed. `detached`: own session, survives this
// process; otherwise the child gets SIGKILL when the calling *thread* ends. Returns the process id, or -errno.
int gantry_spawn(const char *path, char *const argv[], char *const envp[], int in, int out, int err, bool detached);

// The process's start time in clock ticks since boot (field 22 of /proc/PID/stat), 0 when there is no such process.
// (pid, start time) names a process for ever; a pid alone may be reused.
uint64_t gantry_process_start_time(int pid);
// pidfd_open(2); readable when the process has ended. Descriptor or -errno.
int gantry_pidfd_open(int pid);
// pidfd_send_signal(2); 0 or -errno.
int gantry_pidfd_signal(int pidfd, int signal);
// waitpid with WNOHANG: 0 still running, pid when reaped, -errno (-ECHILD: not ours). Status in *status.
int gantry_reap(int pid, int *status);

// Names the calling thread (15 bytes at most) for ps, perf and gdb.
void gantry_name_thread(const char *name);
// Ignores SIGPIPE for the whole process.
void gantry_ignore_sigpipe(void);
// Bounds what this process may take from now on: bytes of address space, seconds of processor time (the signal SIGXCPU
// ends it then), length in bytes of the files that it writes (-EFBIG beyond), open descriptors. 0: as it was. No core
// file. 0 or -errno. Under a sanitizer the address space, which that needs for itself, stays as it was.
int gantry_limit_process(uint64_t address_space, uint64_t seconds, uint64_t file_length, uint64_t descriptors);
// Ends the process with status 1 after SIGXCPU, and `line` on standard error. `line` stays the caller's for ever.
void gantry_report_processor_limit(const char *line);
// Takes from this process, for good, what a program that serves images never does: starting programs, looking into other
// processes, mounting, changing who it is, what is the kernel's own. Such calls answer EPERM. 0, or -errno (-ENOSYS or
// -EINVAL: the kernel has no seccomp). Does nothing under a sanitizer.
int gantry_confine_process(void);
/// Whether this is built with a sanitizer. A program cannot tell by what it has loaded: the runtime is a part of it.
bool gantry_is_sanitized(void);
/// The same as gantry_confine_process, and no sockets (nor io_uring, which can make them).
int gantry_confine_process_alone(void);
// Sends bytes of a Unix socket's stream and, with the first of them, `count` (1 to 253) open files; bytes or -errno.
int64_t gantry_send_files(int fd, const void *bytes, size_t length, const int *files, int count);
// Receives bytes and the open files that come with them, `*count` of them, at most `room`; more are closed. Bytes or -errno.
int64_t gantry_receive_files(int fd, void *bytes, size_t length, int *files, int room, int *count);
// What a process may keep of a file, or of all that lies in a folder. Make: new files and sockets in it, and removing files.
typedef enum { GANTRY_MAY_READ = 0, GANTRY_MAY_WRITE = 1, GANTRY_MAY_MAKE = 2 } gantry_file_rights;
// A new set of rules by which nothing may be opened yet: its descriptor, or -errno (-ENOSYS, -EOPNOTSUPP: no Landlock here, or
// the thread sanitizer, which has a thread of its own).
int gantry_landlock_begin(void);
// 0 or -errno: -ENOENT when there is nothing at `path`.
int gantry_landlock_allow(int rules, const char *path, gantry_file_rights rights);
// As that, where somebody else chose the path: a regular file or a block device, and no folder with all that is in it (-EISDIR)
// or anything else (-EINVAL). `follows`: a link there leads to it; otherwise it is refused (-ELOOP).
int gantry_landlock_allow_file(int rules, const char *path, gantry_file_rights rights, bool follows);
// From here on, for good, this process opens by path what the rules allow and nothing else (EACCES). What is open stays so.
// 0 or -errno; -EBUSY with more than one thread.
int gantry_landlock_enter(int rules);
// Another user and another world for a process that serves images; each 0 or -errno, and before there are other threads. The
// address and thread sanitizers, which need more of the system than is left then, get -ENOSYS.
//
// Whether that is so.
bool gantry_is_single_threaded(void);
// From here on the process has no network, and System V objects and a host's name of its own.
int gantry_own_namespaces(void);
// From here on the root of its file system is an empty one in memory that cannot be written, with `folder` as `/own`, its
// current folder, and `/proc/sys/kernel/random/boot_id`. No mount of the system is kept busy by it. Nothing changes when it fails.
// `folder` NULL: there is nothing but that file.
int gantry_own_root(const char *folder);
// `folder` and the regular files in it that have no other name become `user`'s; links are left alone.
int gantry_give_folder(const char *folder, uint32_t user);
// The process is `user`, in the group of the same number and no other, has no capability and gets none, leaves no core, is not
// looked into by its own user's processes, and may have `threads` processes and threads (0: as it was). Nothing but its groups
// changes when the system does not know the number (-EINVAL).
int gantry_become_user(uint32_t user, uint64_t threads);
// Of its capabilities the process keeps the one by which root opens what is others'.
int gantry_keep_file_access(void);
// Goes on in a child process with a session of its own, and ends this one with status 0. 0 in the child, or -errno.
int gantry_detach(void);
// Two connected stream sockets of the Unix domain, both close-on-exec.
int gantry_socket_pair(int *one, int *other);
// Monotonic nanoseconds.
uint64_t gantry_now(void);
int gantry_errno(void);
// A pipe, both ends close-on-exec; 0 or -errno.
int gantry_pipe(int *read_end, int *write_end);
// Opens a path below `directory` that may not leave it (openat2 RESOLVE_BENEATH|NO_SYMLINKS|NO_MAGICLINKS).
int gantry_open_beneath(int directory, const char *path, int flags, uint32_t mode);
// An unnamed file in `directory` (O_TMPFILE); descriptor or -errno.
int gantry_open_unnamed(const char *directory);
// syslog(2) READ_ALL or READ_CLEAR: bytes of the kernel's messages (the newest that fit), or -errno.
int64_t gantry_kernel_log(void *buffer, size_t length, bool clear);
