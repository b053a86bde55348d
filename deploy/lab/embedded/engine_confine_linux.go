package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The engine was built to read and write any file its user may: file('/etc/passwd') is a function of it, and it
// answers everybody on this machine, a web page in a browser included. So its process gives these rights away
// before it starts, by Landlock (Linux 5.19 and later): it may write its own folder and read, besides, what programs
// of the system read.

// minLandlock is the least Landlock version that lets files move between folders, which the engine must do.
const minLandlock = 2

// errNotConfinable says that this kernel has no (or too old a) Landlock.
var errNotConfinable = errors.New("this kernel cannot confine the engine to its folder")

// confine restricts the calling thread, and every program it becomes, to dir and what is needed to run library.
func confine(dir, library string) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < minLandlock {
		return errNotConfinable
	}
	const read = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	handled := uint64(unix.LANDLOCK_ACCESS_FS_REFER<<1 - 1) // all rights up to version 2
	if version >= 3 {
		handled |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return fmt.Errorf("confine the engine: %w", errno)
	}
	rules := int(fd)
	defer unix.Close(rules)
	allowed := map[string]uint64{dir: handled, "/dev/null": read | unix.LANDLOCK_ACCESS_FS_WRITE_FILE}
	for _, path := range readable(library) {
		allowed[path] = read
	}
	for path, rights := range allowed {
		if err := allow(rules, path, rights&handled); err != nil {
			return fmt.Errorf("confine the engine: %s: %w", path, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("confine the engine: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); errno != 0 {
		return fmt.Errorf("confine the engine: %w", errno)
	}
	return nil
}

// readable is what a program of the system needs: itself, its libraries, how much memory and how many processors there
// are. Of /proc only what the C library and the engine ask about this process's own memory: not its environment, and
// nothing of other processes.
func readable(library string) []string {
	paths := []string{
		"/proc/self/exe", library, "/usr", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store", "/dev/urandom", "/dev/random", "/dev/zero",
		"/proc/self/maps", "/proc/self/statm", "/proc/self/stat", "/proc/self/cgroup", "/proc/meminfo", "/proc/cpuinfo",
		"/sys/fs/cgroup", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage",
		"/etc/localtime", "/etc/timezone", "/etc/ld.so.cache", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	}
	return append(paths, filepath.SplitList(os.Getenv(loaderVariable))...)
}

func allow(rules int, path string, rights uint64) error {
	if strings.TrimSpace(path) == "" {
		return nil
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) {
		return nil // what is not there needs no leave
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR { // rights that only folders have are refused for files
		rights &= unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	beneath := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&beneath)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
