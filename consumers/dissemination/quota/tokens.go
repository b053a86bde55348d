package quota

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// Tokens are those of partners, from a file of lines of a partner's name and the SHA-256 of its token in hexadecimal. Lines that begin with #
// are comments. A partner may have several tokens, so that one can be replaced by another. Only hashes are kept anywhere: a token is of 128
// random bits or more, so that its hash cannot be searched.
type Tokens struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	known map[[sha256.Size]byte]string
	read  time.Time
}

// again is how old what was read of the file may be. A token that is taken out of it ends by then.
const again = 10 * time.Second

// maxFile is how large the file may be, in bytes: some thousand partners.
const maxFile = 1 << 20

// OpenTokens reads the file. It fails when it cannot be read, or a line of it cannot be understood.
func OpenTokens(path string, log *slog.Logger, now time.Time) (*Tokens, error) {
	known, err := readTokens(path)
	if err != nil {
		return nil, err
	}
	return &Tokens{path: path, log: log, known: known, read: now}, nil
}

// Partner is whose token it is. Of no tokens, it is of none.
func (t *Tokens) Partner(token string, now time.Time) (name string, ok bool) {
	if t == nil {
		return "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.read) >= again {
		known, err := readTokens(t.path)
		if err != nil { // a token that may have been revoked must not go on
			t.log.Error("the file of partners' tokens cannot be read: until it can, no token is known", "error", err)
		}
		t.known, t.read = known, now
	}
	name, ok = t.known[sha256.Sum256([]byte(token))]
	return name, ok
}

func readTokens(path string) (map[[sha256.Size]byte]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("partners' tokens: %w", err)
	}
	defer func() { _ = file.Close() }()
	body, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("partners' tokens: %w", err)
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("partners' tokens %s: it has more than %d bytes", path, maxFile)
	}
	known := map[[sha256.Size]byte]string{}
	lines := bufio.NewScanner(bytes.NewReader(body))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		var sum []byte
		if len(words) == 2 {
			sum, _ = hex.DecodeString(words[1])
		}
		if len(sum) != sha256.Size {
			return nil, fmt.Errorf("partners' tokens %s: line %d is not a name and a SHA-256 in hexadecimal", path, n) // what the line has may be a token
		}
		known[[sha256.Size]byte(sum)] = words[0]
	}
	return known, lines.Err()
}
