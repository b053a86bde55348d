package embedded

import (
	"bufio"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"retorno/deploy/clickhouse"
	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/httpserver"
	"retorno/deploy/lab/embedded/nativeserver"
	"retorno/deploy/lab/embedded/session"
)

// childVariable tells a program that it is the engine's process and nothing else; the others, what it is confined to.
const (
	childVariable        = "RETORNO_ENGINE_CHILD"
	childDirVariable     = "RETORNO_ENGINE_CHILD_DIR"
	childLibraryVariable = "RETORNO_ENGINE_CHILD_LIBRARY"
)

// Values of childVariable.
const (
	childNew      = "new"      // it has still to confine itself
	childConfined = "confined" // it has, and has become itself once more
)

// engineOrder is what the child is told, as the first line of its standard input.
type engineOrder struct {
	Library, Dir, Native, HTTP, Password, Zone string
	MemoryLimit                                int64
	Outside                                    bool
}

// The engine's process is this same executable: a test's as well as the command's. It must not reach main.
func init() {
	state := os.Getenv(childVariable)
	if state == "" {
		return
	}
	logger := log.New(os.Stderr, "engine: ", 0)
	if state == childNew {
		logger.Printf("not confined to its folder: %v", becomeConfined())
	}
	os.Exit(childMain(logger, state == childConfined))
}

// becomeConfined gives away the rights that the engine must not have and becomes this program again: rights are given
// away by one thread, and only a program that thread becomes has them given away by all. It comes back when it cannot.
func becomeConfined() error {
	dir, library := os.Getenv(childDirVariable), os.Getenv(childLibraryVariable)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err // the start will say so, too
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Setenv(childVariable, childConfined); err != nil {
		return err
	}
	if err := confine(dir, library); err != nil { // an init function stays on the main thread
		return err
	}
	return syscall.Exec(self, os.Args, os.Environ())
}

// childMain runs the engine until standard input ends, which is when the parent says so or is gone.
func childMain(logger *log.Logger, confined bool) int {
	// A terminal's Ctrl-C and a supervisor's stop reach the whole group; the parent stops us when it is done with us.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	in := bufio.NewReader(os.Stdin)
	reports := os.NewFile(3, "reports")
	var order engineOrder
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &order)
	}
	if err != nil {
		logger.Printf("no orders on standard input (%s is for the program's own use): %v", childVariable, err)
		return 2
	}
	c := &child{order: order, log: logger}
	report, err := c.start()
	report.Confined = confined && c.shut
	if err != nil {
		report = engineReport{Error: err.Error(), Kind: kindOf(err)}
	}
	if werr := json.NewEncoder(reports).Encode(report); werr != nil || err != nil {
		return 3 // the parent has the reason, or is gone
	}
	if err := reports.Close(); err != nil {
		logger.Printf("close the report pipe: %v", err)
	}
	_, _ = io.Copy(io.Discard, in) // ends with the parent's wish or its life; the reason does not matter
	c.stop()
	return 0
}

// child is what runs in the engine's process.
type child struct {
	order  engineOrder
	log    *log.Logger
	roles  map[string]string // by user: the role that the user is bound to
	shut   bool              // the kernel lets it make no connection and start no program
	lock   *os.File
	engine *session.Engine
	native *nativeserver.Server
	http   *httpserver.Server
	lns    []net.Listener
	cancel context.CancelFunc
}

func (c *child) start() (engineReport, error) {
	var err error
	if c.lock, err = claimFolder(c.order.Dir, minFree); err != nil {
		return engineReport{}, err
	}
	native, err := c.listen("native", c.order.Native)
	if err != nil {
		return engineReport{}, err
	}
	web, err := c.listen("HTTP", c.order.HTTP)
	if err != nil {
		return engineReport{}, err
	}
	if !c.order.Outside {
		if err := shutOutside(); err != nil {
			c.log.Printf("not shut off from other computers and programs by the kernel, only by the engine's own rights: %v", err)
		} else {
			c.shut = true
		}
	}
	if err := c.boot(); err != nil {
		return engineReport{}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.native = &nativeserver.Server{Engine: c.engine, Authenticate: c.authenticate, Log: c.log}
	if c.http, err = httpserver.New(c.engine, c.authenticate, c.log); err != nil {
		return engineReport{}, err
	}
	go c.serve("native", func() error { return c.native.Serve(ctx, native) })
	go c.serve("HTTP", func() error { return c.http.Serve(ctx, web) })
	return engineReport{Native: native.Addr().String(), HTTP: web.Addr().String(), Version: c.engine.Version()}, nil
}

// boot loads the library and starts the engine on the folder.
func (c *child) boot() error {
	if err := os.Setenv("TMPDIR", filepath.Join(c.order.Dir, "spool")); err != nil { // the system's is out of reach
		return fmt.Errorf("set the folder for temporary files: %w", err)
	}
	roles, err := clickhouse.Roles()
	if err != nil {
		return err
	}
	c.roles = map[string]string{ReaderUser: readerRole}
	profiles, granted := map[string]map[string]string{}, map[string][]string{}
	for i, r := range roles {
		roles[i].Limits = fitting(r.Limits, uint64(c.order.MemoryLimit))
		c.roles[r.Name], profiles[r.Name] = r.Name, map[string]string{}
		for _, l := range roles[i].Limits {
			profiles[r.Name][l.Name] = l.Value
		}
		for _, grant := range r.Grants {
			if table, of := strings.CutPrefix(grant, "SELECT ON system."); of {
				granted[r.Name] = append(granted[r.Name], table)
			}
		}
	}
	config, err := writeEngineConfig(c.order, roles)
	if err != nil {
		return err
	}
	library, err := chdb.Load(c.order.Library)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoEngine, err)
	}
	if err := os.Chdir(c.order.Dir); err != nil { // it keeps schemas of formats in the folder that it runs in
		return fmt.Errorf("%w: %w", ErrFolderUnusable, err)
	}
	c.engine, err = session.Boot(session.Config{
		Library: library, Dir: filepath.Join(c.order.Dir, "clickhouse"), Spool: filepath.Join(c.order.Dir, "spool"),
		Args: []string{"--config-file=" + config}, Profiles: profiles, SystemTables: strings.Fields(everybodyTables), Granted: granted, Outside: c.order.Outside,
	})
	return err
}

func (c *child) listen(what, address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: %s address %s: %w", ErrAddressInUse, what, address, errors.Unwrap(err))
	}
	c.lns = append(c.lns, ln)
	return ln, nil
}

func (c *child) serve(what string, serve func() error) {
	if err := serve(); err != nil {
		c.log.Fatalf("%s interface: %v", what, err)
	}
}

// authenticate knows user default, who may do all that stays inside, and the users that are bound to one role.
func (c *child) authenticate(user, password string) (role string, ok bool) {
	if user == "" {
		user = "default"
	}
	role, bound := c.roles[user]
	right := subtle.ConstantTimeCompare([]byte(password), []byte(c.order.Password)) == 1
	return role, right && (bound || user == "default")
}

func (c *child) stop() {
	for _, ln := range c.lns {
		_ = ln.Close() // no connection is to come any more
	}
	c.cancel()
	c.native.Close()
	if err := c.http.Close(); err != nil {
		c.log.Printf("stop the HTTP interface: %v", err)
	}
	c.engine.Close()
	_ = c.lock.Close() // the process ends here; so does the lock
}
