// Command fetch brings what the tests run beside the program: the ClickHouse engine, Apache Kafka, the ClickHouse
// clients that others wrote, and Typst and veraPDF, which make and judge the bulletin's PDF. Each comes once, into the user's cache folder; what is there already costs nothing.
//
// The tests fetch what they lack by themselves, too. Fetched before them, it shows how far it is and does not use up
// their time. Exit status: 0 all is there, 3 something could not be fetched.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/clients"
	"retorno/deploy/lab/embedded/enginefetch"
)

// tellEvery is how often a line says how far the fetching is.
const tellEvery = 5 * time.Second

// item is one thing to fetch.
type item struct {
	name string
	find func(ctx context.Context, tell func(bytes int64)) (string, error)
}

var items = []item{
	{"ClickHouse engine " + enginefetch.Version, func(ctx context.Context, tell func(int64)) (string, error) {
		return enginefetch.Find(ctx, enginefetch.Options{Progress: func(p enginefetch.Progress) { tell(p.Done) }})
	}},
	{"Apache Kafka " + apachekafka.Version, apachekafka.Fetch},
	{"ClickHouse clients in Java", clients.JDBC},
	{"ClickHouse clients in Python", clients.Python},
	{"Typst, and a reader of PDF", clients.Typst},
	{"veraPDF", clients.VeraPDF},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := fetch(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func fetch(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, i := range items {
		group.Go(func() error {
			if _, err := i.find(ctx, teller(i.name)); err != nil {
				return fmt.Errorf("%s: %w", i.name, err)
			}
			fmt.Println(i.name + ": there")
			return nil
		})
	}
	return group.Wait()
}

// teller prints how many bytes of an item have come, at once and then now and again.
func teller(name string) func(bytes int64) {
	var next atomic.Int64 // Unix nanoseconds
	return func(bytes int64) {
		now := time.Now()
		if due := next.Load(); now.UnixNano() >= due && next.CompareAndSwap(due, now.Add(tellEvery).UnixNano()) {
			fmt.Printf("%s: fetching, %d MB\n", name, bytes>>20)
		}
	}
}
