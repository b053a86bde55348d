package command

import (
	"encoding/json"
	"net/http"

	"retorno/producers/dispatch"
	"retorno/producers/spool"
)

// page is what the browser of this computer sees. fatal is told of a disk that confirms nothing.
func (f *agentFlags) page(t *terminal, s *spool.Spool, out *dispatch.Dispatcher, _ string, _ func(error)) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		st, err := s.State()
		if err != nil {
			t.Log.Warn("state", "error", err)
			http.Error(w, "state", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"source": st.Source, "last_seq": st.LastSeq, "unsent": st.Unsent, "stopped": out.Status().Stop.String()})
	})
	return mux, nil
}
