package codelists

import "sync"

// mostKnown bounds what is remembered of a list. A column of codes has some dozens of spellings; a column of names, which
// none of them is, fills the memory once and is then looked up in vain.
const mostKnown = 4096

// longestKnown is the longest text that is remembered, in bytes.
const longestKnown = 64

// memory remembers what texts mean: the same few spellings come in every row of a file.
type memory struct {
	mu    sync.RWMutex
	codes map[string]meaning
}

type meaning struct {
	code string
	ok   bool
}

// of is find(text), asked once for each text.
func (m *memory) of(text string, find func(string) (string, bool)) (string, bool) {
	if len(text) > longestKnown {
		return find(text)
	}
	m.mu.RLock()
	known, hit := m.codes[text]
	full := len(m.codes) >= mostKnown
	m.mu.RUnlock()
	if hit {
		return known.code, known.ok
	}
	code, ok := find(text)
	if !full {
		m.mu.Lock()
		if m.codes == nil {
			m.codes = map[string]meaning{}
		}
		m.codes[text] = meaning{code, ok}
		m.mu.Unlock()
	}
	return code, ok
}
