package release

import (
	"context"
	"fmt"
	"time"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/typst"
	"retorno/consumers/dissemination/vintages"
)

// companions are the files beside the tables of a vintage: its bulletin, its tables in the other forms, its structures in SDMX, and the text of
// the method. They are made of what everyone can read, and of nothing else. pdf may be nil: the bulletin has no PDF.
func companions(ctx context.Context, conn Conn, draft *bundle.Draft, pdf *typst.Program) ([]bundle.File, error) {
	b, err := draft.Read()
	if err != nil {
		return nil, err
	}
	const answer = time.Minute // for one question
	shelf, o := vintages.NewShelf(conn, answer, answer), vintages.Of(b)
	files, err := bulletin.Files(ctx, shelf, o, pdf)
	if err != nil {
		return nil, fmt.Errorf("write the bulletin: %w", err)
	}
	forms, err := formats.Files(o)
	if err != nil {
		return nil, fmt.Errorf("write the tables in other forms: %w", err)
	}
	structures, err := sdmx.Files(ctx, shelf, o)
	if err != nil {
		return nil, fmt.Errorf("write the structures: %w", err)
	}
	files = append(append(files, forms...), structures...)
	return append(files, bundle.File{Path: bundle.MethodPath, Body: []byte(reconcile.Text)}), nil
}
