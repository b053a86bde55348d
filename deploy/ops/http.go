package ops

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// patience bounds how long one client may hold a connection: who sends slowly, who reads slowly, who does neither.
type patience struct{ header, read, write, idle time.Duration }

var ordinary = patience{header: 10 * time.Second, read: 30 * time.Second, write: 2 * time.Minute, idle: time.Minute}

// maxHeader is how long the header of a request may be, in bytes.
const maxHeader = 32 << 10

// HTTPPart serves a handler on a listener until the process stops; requests under way are let finish. A client that
// sends or reads too slowly loses its connection.
func HTTPPart(name string, listener net.Listener, handler http.Handler) Part {
	return httpPart(name, listener, handler, ordinary)
}

func httpPart(name string, listener net.Listener, handler http.Handler, p patience) Part {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: p.header, ReadTimeout: p.read, WriteTimeout: p.write, IdleTimeout: p.idle, MaxHeaderBytes: maxHeader}
	return Part{
		Name: name,
		Run: func(ctx context.Context) error {
			failed := make(chan error, 1)
			go func() { failed <- server.Serve(listener) }()
			select {
			case err := <-failed:
				return fmt.Errorf("serve %s: %w", listener.Addr(), err)
			case <-ctx.Done():
			}
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := server.Shutdown(grace); err != nil {
				// A client that never finishes must not hold the process up.
				return server.Close()
			}
			return nil
		},
	}
}

// Limits bound what strangers can take of a server at once.
type Limits struct {
	Connections int              // in all; 0 is 512
	Address     int              // connections of one address but a loopback one, where a proxy may stand; 0 is 64
	Requests    int              // answered at once, others get 503; 0 is 64
	Busy        http.HandlerFunc // answers those others, after Retry-After is set; nil: with a text
}

// Limited makes listener and handler keep the limits. registerer takes the metrics of what was refused.
func Limited(listener net.Listener, handler http.Handler, l Limits, registerer prometheus.Registerer) (net.Listener, http.Handler) {
	for _, one := range []struct {
		value *int
		most  int
	}{{&l.Connections, 512}, {&l.Address, 64}, {&l.Requests, 64}} {
		if *one.value == 0 {
			*one.value = one.most
		}
	}
	open := prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_http_connections", Help: "Connections that are open at the web server."})
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "retorno_http_refused_total",
		Help: "What the web server refused because of a limit: connections (in all), address (connections of one address), requests (at once)."}, []string{"limit"})
	for _, limit := range []string{"connections", "address", "requests"} {
		refused.WithLabelValues(limit)
	}
	registerer.MustRegister(open, refused)
	if l.Busy == nil {
		l.Busy = func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Demasiadas consultas a la vez; repita en un segundo / Too many questions at once; repeat in a second", http.StatusServiceUnavailable)
		}
	}
	slots := make(chan struct{}, l.Requests)
	return &limitedListener{Listener: listener, limits: l, open: open, refused: refused, byAddress: map[netip.Addr]int{}},
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				handler.ServeHTTP(w, r)
			default:
				refused.WithLabelValues("requests").Inc()
				w.Header().Set("Retry-After", "1")
				l.Busy(w, r)
			}
		})
}

// limitedListener closes at once what is too much: a queue of connections would only hide it.
type limitedListener struct {
	net.Listener
	limits  Limits
	open    prometheus.Gauge
	refused *prometheus.CounterVec

	mu        sync.Mutex
	all       int
	byAddress map[netip.Addr]int
}

// Accept gives the next connection that keeps the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(c)
		limit := l.enter(from)
		if limit == "" {
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		l.refused.WithLabelValues(limit).Inc()
		_ = c.Close() // it has had no answer and gets none
	}
}

// enter counts a connection; it gives the limit that this would break, and then does not count it.
func (l *limitedListener) enter(from netip.Addr) (limit string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.all >= l.limits.Connections:
		return "connections"
	case !from.IsLoopback() && l.byAddress[from] >= l.limits.Address:
		return "address"
	}
	l.all++
	l.byAddress[from]++
	l.open.Set(float64(l.all))
	return ""
}

func (l *limitedListener) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.byAddress[from]--; l.byAddress[from] == 0 {
		delete(l.byAddress, from)
	}
	l.open.Set(float64(l.all))
}

// addressOf is the address of a client; of IPv6 the network of 64 bits that one client has.
func addressOf(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap()
	if addr.Is6() && !addr.IsLoopback() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close gives the place of the connection back.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
