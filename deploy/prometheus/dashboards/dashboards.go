// Package dashboards is what operators look at in Grafana and in Prometheus' own console page: six boards, written here once
// as data, from which the files in this folder and in consoles are made.
//
// It promises that both show the same queries under Spanish and English titles. It never asks Prometheus anything: Grafana
// and Prometheus do. A board that cannot be built is an error that names what the library has against it.
package dashboards

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"text/template"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// Board is one page of panels.
type Board struct {
	Name   string // of its file
	ES, EN string // its title
	Panels []Panel
}

// Panel is one picture: a query over time.
type Panel struct {
	ES, EN string // its title
	Unit   string // as Grafana names it: s, bytes, percentunit, short
	Query  string // PromQL
	Legend string // which labels tell the lines apart, as Grafana writes them: {{topic}}
	// Empty says why the query has no answer where all is well; "" when it has one.
	Empty string
}

// source is the variable by which a person chooses the Prometheus that is asked.
const source = "prometheus"

// JSON is the board as Grafana imports it.
func (b Board) JSON() ([]byte, error) {
	kind, uid := "prometheus", "${"+source+"}"
	ref := common.DataSourceRef{Type: &kind, Uid: &uid}
	//nolint:staticcheck // the first form of a board: older servers of Grafana import no other
	board := dashboard.NewDashboardBuilder(b.ES+" / "+b.EN).Uid("retorno-"+b.Name).Tags([]string{"retorno"}).Readonly().
		Time("now-6h", "now").Refresh("1m").
		WithVariable(dashboard.NewDatasourceVariableBuilder(source).Label("Prometheus").Type(kind))
	for _, p := range b.Panels {
		board.WithPanel(timeseries.NewPanelBuilder().Title(p.ES + " / " + p.EN).Datasource(ref).Unit(p.Unit).Min(0).Span(12).Height(8).
			WithTarget(prometheus.NewDataqueryBuilder().Datasource(ref).RefId("A").Range().Expr(p.Query).LegendFormat(p.Legend)))
	}
	built, err := board.Build()
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", b.Name, err)
	}
	text, err := json.MarshalIndent(built, "", "  ")
	return append(text, '\n'), err
}

//go:embed console.html
var consoleForm string

// Console is the overview as a template of Prometheus' console pages, which are filled at each view.
func Console() ([]byte, error) {
	form, err := template.New("console").Delims("[[", "]]").Parse(consoleForm)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = form.Execute(&page, Boards[0])
	return page.Bytes(), err
}
