//go:build !server

package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"retorno/consumers/dissemination/release"
	"retorno/consumers/dissemination/sdmx"
	"retorno/schemas/calendar"
)

// signingKeyName is the file in the data folder with the key that signs what the demo publishes.
const signingKeyName = "signing.key"

// publish publishes the period of the table as final, when it is a half-year, which has a public form, and says what was published
// and where it is. A folder that was played before has its vintage already.
func (d *demo) publish(ctx context.Context) error {
	period := periodOf(d.made.Table())
	if period.Kind != calendar.KindHalfYear {
		return nil
	}
	flags := publicFlags{SigningKey: filepath.Join(d.data, signingKeyName)}
	if _, err := newSigningKey(flags.SigningKey); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	public, err := flags.public()
	if err != nil {
		return err
	}
	kafka, err := d.kafka.log()
	if err != nil {
		return err
	}
	gate := release.Gate{VerifiedWithin: time.Hour, Ends: func(ctx context.Context) ([]release.Position, error) { return logEnds(ctx, kafka) }}
	order := release.Order{Period: period, Status: release.Final, AsOf: time.Now(), Software: version,
		Accepted: "el registro de la demostración se hace con huecos / the demo's register is made with gaps"}
	p, err := release.Publish(ctx, d.store.Conn(), gate, public, order)
	var refused *release.RefusedError
	switch {
	case errors.As(err, &refused) && refused.Has(release.AfterFinal):
		return d.showVintages(ctx)
	case errors.As(err, &refused):
		return No(refusal(refused))
	case err != nil:
		return err
	}
	if _, err := fmt.Fprintln(d.t.Out); err != nil {
		return err
	}
	if err := printPublication(d.t.Out, p, public.Lattice); err != nil {
		return err
	}
	if public.PDF == nil {
		d.t.say("%s", unprinted)
	}
	return d.showVintages(ctx)
}

// showVintages says where the vintages are, as everyone may read them, what their certificates say, and how a partner pulls them.
func (d *demo) showVintages(ctx context.Context) error {
	base := "http://" + d.web.Addr().String()
	if err := printVintages(ctx, d.t.Out, d.published.Conn(), base, "", 0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(d.t.Out, "\nFor a partner to paste (SDMX):\ncurl -fs '%s'\n", base+sdmx.Root30+"data/dataflow/CENISS/T2/1.0.0?format=csv")
	return err
}
